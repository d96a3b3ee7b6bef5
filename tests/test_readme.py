"""README.md and docs/: commands parse, snippets run, links lead somewhere, the README stays short."""

import pathlib
import re
import shlex

import pytest

from t2v_jax import cli
from t2v_jax import config as configuration
from t2v_jax.training import auto_config

ROOT = pathlib.Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [README, *sorted(ROOT.glob("docs/*.md"))]
DOCUMENTS = [*PAGES, ROOT / "CHANGELOG.md"]
DOCUMENTS += sorted([*ROOT.glob("experiments/**/*.md"), *ROOT.glob("t2v_jax/*/**/*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r'(?:\]\(|src=")([^)"\s]+)')
# ml_collections loads a configuration so.
pytestmark = pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")


def read(path):
    return path.read_text(encoding="utf-8")


def blocks(path, language):
    """The code blocks of a document in a language."""
    return [code for name, code in BLOCK.findall(read(path)) if name == language]


def commands(path):
    """The arguments of each `t2v` command in the shell blocks of a document."""
    lines = "".join(blocks(path, "bash")).replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("t2v ")]


COMMANDS = {" ".join(arguments): arguments for path in PAGES for arguments in commands(path)}


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_documented_command_parses(arguments, monkeypatch):
    parsed = []
    for name, command in cli.COMMANDS.items():
        take = command._replace(run=lambda values, *rest: parsed.append(values))
        monkeypatch.setitem(cli.COMMANDS, name, take)
    # The clips that --data names are the reader's own.
    monkeypatch.setattr(auto_config, "fitted_config", lambda directory: configuration.default())
    monkeypatch.chdir(ROOT)
    assert cli.main(arguments) == 0
    (values,) = parsed
    if "config" in values:
        configuration.check(values.config)


def test_commands_are_found():
    assert {arguments[0] for arguments in commands(README)} >= {"generate", "data", "train", "evaluate"}


def test_readme_snippets_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for code in blocks(README, "python"):
        exec(compile(code, README.name, "exec"), names)
    assert (tmp_path / "clip.gif").is_file()
    assert names["video"].shape == (16, 64, 64, 1)
    assert names["frame"].shape == (64, 64, 1)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document):
    targets = [target.partition("#")[0] for target in LINK.findall(read(document)) if "://" not in target]
    assert not [target for target in targets if not (document.parent / target).exists()]


def test_readme_links_every_page():
    linked = set(LINK.findall(read(README)))
    assert {page.relative_to(ROOT).as_posix() for page in PAGES[1:]} <= linked


def test_readme_is_short():
    lines = read(README).splitlines()
    assert len(lines) <= 130
    assert max(map(len, lines)) <= 120
