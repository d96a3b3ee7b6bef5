"""What an installed copy offers: public names, a light import, all its files, pinned versions."""

import configparser
import importlib.metadata
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import t2v_jax

ROOT = pathlib.Path(__file__).parent.parent
NOT_SOURCE = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "runs")


def python(code):
    """What `code` prints, run in an interpreter of its own that turns warnings into errors."""
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The wheel and the source distribution."""
    source = tmp_path_factory.mktemp("packaging") / "source"
    shutil.copytree(ROOT, source, ignore=NOT_SOURCE)
    build = "from setuptools import build_meta as b; b.build_sdist('dist'); b.build_wheel('dist')"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True)
    (wheel,) = source.glob("dist/*.whl")
    (sdist,) = source.glob("dist/*.tar.gz")
    return wheel, sdist


@pytest.fixture(scope="module")
def distributions(built):
    """The names of the files in the wheel and in the source distribution."""
    wheel, sdist = built
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = set(archive.namelist())
    with tarfile.open(sdist) as archive:
        in_sdist = {name.partition("/")[2] for name in archive.getnames()}
    return in_wheel, in_sdist


def files(*folders):
    """The files under these folders of the repository, as paths relative to its root."""
    found = [
        path.relative_to(ROOT)
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and not {"__pycache__", ".ipynb_checkpoints"} & set(path.parts)
    ]
    return {path.as_posix() for path in found}


def test_the_public_names_are_the_contract_and_there():
    contract = {
        "__version__",
        "Stream",
        "UsageError",
        "Video",
        "explain",
        "generate",
        "load",
        "save",
        "save_video",
    }
    assert set(t2v_jax.__all__) == contract
    assert contract <= set(dir(t2v_jax))
    values = [getattr(t2v_jax, name) for name in sorted(contract - {"__version__"})]
    assert all(map(callable, values))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'generrate'"):
        t2v_jax.generrate  # noqa: B018


def test_importing_the_package_imports_only_the_standard_library():
    names = "import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    before = set(python(names).split())  # an editable install or a coverage tool brings some
    after = set(python(f"import t2v_jax; {names}").split())
    assert after - before - sys.stdlib_module_names == {"t2v_jax"}


def test_the_wheel_holds_the_whole_package(distributions):
    in_wheel, _ = distributions
    assert not files("t2v_jax") - in_wheel
    assert {f"t2v_jax/{name}" for name in files("configs")} <= in_wheel
    top = {name.partition("/")[0] for name in in_wheel}
    assert top == {"t2v_jax", f"t2v_jax-{t2v_jax.__version__}.dist-info"}


def test_a_stranger_installs_the_wheel_and_generates(built, tmp_path):
    wheel, _ = built
    assert wheel.stat().st_size <= 25e6
    installed, empty = tmp_path / "installed", tmp_path / "empty"
    empty.mkdir()
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, f"--target={installed}", wheel], check=True)
    # What it depends on it finds beside this interpreter; itself it finds first.
    environment = os.environ | {"PYTHONPATH": str(installed), "XDG_CACHE_HOME": str(tmp_path / "cache")}

    def t2v(*arguments):
        command = [installed / "bin" / "t2v", *arguments]
        return subprocess.run(command, cwd=empty, env=environment, capture_output=True, text=True)

    code = "import t2v_jax; print(t2v_jax.__file__)"
    where = subprocess.run([sys.executable, "-c", code], cwd=empty, env=environment, capture_output=True)
    assert where.stdout.decode().startswith(str(installed))
    told = t2v("generate", "the digit 5 is moving up and down", "--output=clip.npy")
    assert told.returncode == 0 and told.stdout == "clip.npy\n", told.stderr
    assert np.load(empty / "clip.npy").shape == (16, 64, 64, 1)
    told = t2v("train", "--config=moving_digits", "--workdir=run", "--config.data.clips=0")
    assert told.stderr.startswith("t2v: config.data.clips is 0; expected")
    assert [path.name for path in empty.iterdir()] == ["clip.npy"]


def test_the_source_distribution_holds_what_its_tests_need(distributions):
    _, in_sdist = distributions
    assert not files("t2v_jax", "configs", "tests") - in_sdist
    assert {"LICENSE", "Makefile", "constraints.txt", "setup.cfg", "pyproject.toml"} <= in_sdist


def pins():
    """The versions in constraints.txt for this Python, by normalised name."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    found = active(line for line in lines if line and not line.startswith("#"))
    versions = {canonicalize_name(r.name): str(r.specifier) for r in found}
    assert len(versions) == len(found), "two pins of one name apply"
    return versions


def requirements(*extras):
    """What setup.cfg asks for on this Python."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    texts = [parser["options"]["install_requires"]]
    texts += [parser["options.extras_require"][extra] for extra in extras]
    return active(line for text in texts for line in text.splitlines() if line)


def active(lines, extra=""):
    """The requirements among these lines whose marker holds here."""
    found = [Requirement(line) for line in lines]
    return [r for r in found if not r.marker or r.marker.evaluate({"extra": extra})]


def closure(wanted):
    """Normalised names of all that these requirements bring along, by the installed metadata."""
    seen, queue = set(), list(wanted)
    while queue:
        requirement = queue.pop()
        for extra in {"", *requirement.extras}:
            key = canonicalize_name(requirement.name), extra
            if key not in seen:
                seen.add(key)
                queue += active(importlib.metadata.requires(requirement.name) or [], extra)
    return {name for name, _ in seen}


def test_all_that_an_installation_brings_along_is_pinned():
    versions = pins()
    assert all(re.fullmatch(r"==[\d.]+", version) for version in versions.values())
    assert not closure(requirements("test", "tfds")) - versions.keys()


def test_pinned_versions_are_in_range():
    versions = pins()
    for wanted in requirements("test", "tfds"):
        pinned = versions[canonicalize_name(wanted.name)].removeprefix("==")
        assert wanted.specifier.contains(pinned), wanted


def test_the_command_is_installed():
    (script,) = importlib.metadata.entry_points(group="console_scripts", name="t2v")
    assert callable(script.load())
