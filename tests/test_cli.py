"""The command: end to end, and one line on stderr for every mistake."""

import json
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from flax.traverse_util import flatten_dict
from PIL import Image

import t2v_jax
from t2v_jax import cli
from t2v_jax import config as configuration
from t2v_jax.config.fields import flat
from t2v_jax.inference import model
from t2v_jax.training import digests

SMALL = pathlib.Path(__file__).parent / "small.py"
# ml_collections loads a configuration so.
pytestmark = pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")

PROMPT = "the digit 3 is moving up and down"
GENERATE = ["generate", f"--prompt={PROMPT}", "--output=clip.gif"]
TRAIN = ["train", f"--config={SMALL}", "--workdir=run"]


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory):
    directory = tmp_path_factory.mktemp("exported") / "small"
    assert cli.main(["export", f"--workdir={trained}", f"--output={directory}"]) == 0
    return directory


def test_export_keeps_the_discriminator(exported, trained):
    kept, learnt = (flatten_dict(model.load_discriminator(source)) for source in (exported, trained))
    assert kept.keys() == learnt.keys()
    for path, parameters in kept.items():
        np.testing.assert_array_equal(parameters, np.float16(learnt[path]).astype(np.float32))


def change(arguments, *changes):
    """Arguments in which a flag of the same name is replaced by each change."""
    for flag in changes:
        name = flag.split("=")[0]
        arguments = [old for old in arguments if old.split("=")[0] != name] + [flag]
    return arguments


def refused(run, *arguments):
    """The one line that a command ends in which leaves nothing behind."""
    before = set(pathlib.Path.cwd().rglob("*"))
    status, output, errors = run(*arguments)
    assert status == 2 and output == ""
    assert errors.startswith("t2v: ") and errors.endswith("\n") and errors.count("\n") == 1
    assert set(pathlib.Path.cwd().rglob("*")) == before
    return errors


def test_generate_writes_the_video(run, exported):
    status, output, errors = run(*GENERATE, f"--model={exported}", "--frames=6")
    assert (status, output, errors) == (0, "clip.gif\n", "")
    with Image.open("clip.gif") as image:
        assert image.n_frames == 6 and image.size == (256, 256)


def test_a_tilde_is_the_home_directory(run, exported, monkeypatch):
    monkeypatch.setenv("HOME", str(exported.parent))
    status, output, errors = run(*change(GENERATE, "--output=~/clip.gif"), f"--model=~/{exported.name}")
    assert (status, output, errors) == (0, "~/clip.gif\n", "")
    assert (exported.parent / "clip.gif").is_file() and not pathlib.Path("~").exists()


def test_train_continues_and_generates(run, trained):
    workdir = shutil.copytree(trained, "copy")
    status, output, errors = run("train", f"--config={SMALL}", f"--workdir={workdir}")
    assert (status, output, errors) == (0, "copy: step 4\n", "")
    assert run(*change(GENERATE, "--output=clip.npy"), "--model=copy")[0] == 0
    assert pathlib.Path("clip.npy").is_file()


def test_generate_imports_no_training(exported):
    code = (
        "import sys; from t2v_jax.cli import main; assert main(sys.argv[1:]) == 0; "
        "print({name.partition('.')[0] for name in sys.modules}"
        " & {'orbax', 'grain', 'tensorflow', 'tensorboardX', 'optax'})"
    )
    command = [sys.executable, "-W", "error", "-c", code, *GENERATE, f"--model={exported}"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("clip.gif\nset()\n", "")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nosuch"], ["'nosuch'", "t2v --help"]),
        (["generat"], ["'generat'", "did you mean 'generate'?"]),
        (["data"], ["t2v data needs one of: check, prepare"]),
        (["data", "--help"], ["t2v data needs one of: check, prepare"]),
        (["data", "chek", "videos"], ["'data chek'", "did you mean 'data check'?"]),
        ([*GENERATE, "--nosuch=1"], ["'nosuch'", "--help"]),
        (["show", "a.gif", "b.gif"], ["'b.gif'", "--help"]),
        (["show"], ["needs FILE"]),
        (["show", "nosuch.gif"], ["nosuch.gif"]),
        (["show", str(SMALL)], [str(SMALL), "does not say"]),
        (["models", "moving-digit"], ["'moving-digit'", "did you mean 'moving-digits'?"]),
        ([*GENERATE, "--seed=x"], ["--seed=x", "--help"]),
        (["generate"], ["needs a sentence", "--help"]),
        (["generate", "--promt=digit 3"], ["'promt'", "Did you mean: prompt"]),
        (["generate", "--prompts=nosuch"], ["--prompts=nosuch", "one a line"]),
        ([*GENERATE, "--seeds=0"], ["seeds=0", "1"]),
        (["generate", "0: up | down"], ["'down'", "FRAME: SENTENCE"]),
        (["generate", "4: up | 8: down"], ["[4, 8]", "expected 0"]),
        (["generate", "0: up | 8: down | 8: left"], ["[0, 8, 8]", "higher"]),
        ([*GENERATE, "--model=nosuch"], ["no model 'nosuch'", *model.shipped()]),
        (change(GENERATE, "--output=clip.avi"), ["clip.avi", ".gif .mp4"]),
        # The ending is looked at before the model is.
        ([*change(GENERATE, "--output=clip.avi"), "--model=nosuch"], ["clip.avi"]),
        (change(GENERATE, "--output=nosuch/clip.gif"), ["nosuch"]),
        (change(GENERATE, f"--output={SMALL}/clip.gif"), [str(SMALL)]),
        ([*GENERATE, "--fps=0"], ["0 frames a second", "0.01 to 50"]),
        (["train", "--workdir=run"], ["needs --data=... or --config=..."]),
        (TRAIN[:2], ["needs --workdir"]),
        (change(TRAIN, "--config=nosuch.py"), ["nosuch.py", "moving_digits"]),
        (change(TRAIN, "--config=moving_digit"), ["did you mean 'moving_digits'?"]),
        ([*TRAIN, "--config.nosuch=1"], ["'nosuch'", "--help-config"]),
        # A configuration that comes with the package is found by its name in any folder.
        ([*change(TRAIN, "--config=two_digits"), "--config.batchsize=1"], ["did you mean 'batch_size'?"]),
        ([*TRAIN, "--config.loss.nosuch=1"], ["'nosuch'", "config"]),
        ([*TRAIN, "--config.batch_size=abc"], ["batch_size", "abc"]),
        ([*TRAIN, "--config.batch_size=0"], ["batch_size is 0", "from 1 to"]),
        ([*TRAIN, "--config.data.channels=3"], ["[4, 16, 16, 1]", "[4, 16, 16, 3]"]),
        ([*TRAIN, "--config.data.digit_size=16"], ["digit_size"]),
        ([*TRAIN, "--config.data.directory=nosuch"], ["nosuch"]),
        ([*TRAIN, "--config.mesh.data=3"], ["3 x 1", "mesh.data=-1"]),
        ([*TRAIN, "--config.mesh.model=2"], ["mesh.model"]),
        (change(TRAIN, f"--workdir={SMALL}/run"), [str(SMALL), "--workdir"]),
        ([*TRAIN, "--process=1"], ["--coordinator, --processes and --process", "all three or none"]),
        (
            [*TRAIN, "--coordinator=host", "--processes=2", "--process=0"],
            ["=host", "HOST:PORT", "10.0.0.1:1234"],
        ),
        ([*TRAIN, "--coordinator=host:1", "--processes=2", "--process=2"], ["--process=2", "from 0 to 1"]),
        ([*TRAIN, "--coordinator=host:1", "--processes=0", "--process=0"], ["processes=0"]),
        (change(TRAIN, "--workdir=gs://bucket/run"), ["gs://bucket/run", "this machine"]),
        ([*TRAIN, "--config.data.directory=gs://bucket"], ["gs://bucket", "this machine"]),
        ([*GENERATE, "--model=gs://bucket/run"], ["gs://bucket/run", "this machine"]),
        (change(GENERATE, "--output=s3://bucket/clip.gif"), ["s3://bucket/clip.gif", "this machine"]),
        (["demo", "--model=gs://bucket/run"], ["gs://bucket/run", "this machine"]),
        (["evaluate", "--output=gs://bucket/report.json"], ["gs://bucket/report.json", "this machine"]),
        (["export", "--workdir=gs://bucket/run", "--output=out"], ["gs://bucket/run", "this machine"]),
        (["export", "--workdir=nosuch", "--output=out"], ["nosuch"]),
        (["data", "check", "gs://bucket/videos"], ["gs://bucket/videos", "this machine"]),
        (change(GENERATE, "--output=~nosuch/clip.gif"), ["~nosuch", "home"]),
        (["evaluate", "--model=nosuch"], ["nosuch"]),
        (["evaluate", "--seeds=0,x"], ["--seeds=0,x", "0,1,2"]),
        (["evaluate", "--output=nosuch/report.json"], ["nosuch"]),
    ],
)
def test_mistake_is_told_in_one_line(run, arguments, told):
    errors = refused(run, *arguments)
    for part in told:
        assert part in errors


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--prompt="], ["no words"]),
        ([f"--prompt={'digit 3 ' * 1250}"], ["10000 characters", "at most 1000"]),
        (["--prompt=😀🎉"], ["digit"]),
        (["--prompt=\x00\x07\x1b"], ["no words"]),
        (["--prompt=xyzzy plugh"], ["known to this model"]),
        (["--frames=0"], ["frames=0"]),
        (["--seed=-1"], ["seed=-1", "expected 0"]),
        (["--prompt=the digtt 3 is moving", "--strict"], ["'digtt'", "digit", "--strict"]),
    ],
)
def test_bad_prompt_is_told_in_one_line(run, exported, flags, told):
    errors = refused(run, *change(GENERATE, f"--model={exported}", *flags))
    for part in told:
        assert part in errors


def test_unknown_word_is_a_warning(run, exported):
    prompt = "--prompt=the digtt 3 is moving up and down"
    status, output, errors = run(*change(GENERATE, prompt, f"--model={exported}"))
    assert (status, output) == (0, "clip.gif\n")
    assert errors.startswith("t2v: warning: ") and errors.count("\n") == 1
    assert "'digtt'" in errors and "digit" in errors


def test_workdir_of_another_config_names_what_differs(run, trained):
    before = sorted(trained.rglob("*"))
    flags = [
        "--config.optimizer.beta_1=0.5",
        "--config.batch_size=2",
        "--config.steps=5",
        "--config.keep_checkpoints=9",
    ]
    errors = refused(run, *change(TRAIN, f"--workdir={trained}"), *flags)
    assert "optimizer.beta_1 (0.5 here, 0.0 there)" in errors and "batch_size (2 here, 4 there)" in errors
    assert "keep" not in errors and "steps" not in errors
    assert sorted(trained.rglob("*")) == before


def damage(step):
    """Cuts all arrays of a step in half."""
    for path in [path for path in step.rglob("d/*") if path.is_file()]:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    "arguments",
    [
        [*GENERATE, "--model=copy"],
        ["export", "--workdir=copy", "--output=out"],
        ["evaluate", "--workdir=copy"],
        ["train", f"--config={SMALL}", "--workdir=copy", "--config.steps=2"],
    ],
)
def test_a_damaged_checkpoint_is_passed_over_in_one_line(run, trained, arguments):
    workdir = shutil.copytree(trained, pathlib.Path("copy"))
    damage(workdir / "checkpoints/4")
    status, _, errors = run(*arguments)
    passed, *others = errors.splitlines()
    assert passed.startswith("passed over") and "checkpoint 4" in passed and "step 2 is taken" in passed
    if arguments[0] == "evaluate":  # so small a model cannot be, once it is read
        assert "shows no motion" in others.pop()
        status -= 2
    assert (status, others) == (0, [])
    damage(workdir / "checkpoints/2")
    shutil.rmtree(workdir / "checkpoints/4", ignore_errors=True)
    errors = refused(run, *[argument.replace("=out", "=other") for argument in arguments])
    assert "checkpoint 2 (" in errors and "is whole" in errors
    shutil.rmtree(workdir / "checkpoints")
    if arguments[0] != "train":
        assert "no checkpoints in copy" in refused(run, *change(arguments, "--output=b.gif"))


def test_export_overwrites_nothing(run, trained, exported):
    flags = ["export", f"--workdir={trained}"]
    assert "is there already" in refused(run, *flags, f"--output={exported}")
    assert "found: 2, 4" in refused(run, *flags, "--output=out", "--step=3")
    assert run(*flags, "--output=out", "--step=2")[:2] == (0, "out\n")
    assert json.loads(pathlib.Path("out/config.json").read_text())["steps"] == 4


def test_export_checks_each_checkpoint_once(run, trained, monkeypatch):
    checked = []
    digest = digests._digest
    monkeypatch.setattr(digests, "_digest", lambda path: checked.append(path) or digest(path))
    assert run("export", f"--workdir={trained}", "--output=out")[0] == 0
    assert checked and len(checked) == len(set(checked))


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_help_lists_flags_and_examples(run, command):
    status, output, errors = run(*command.split(), "--help")
    assert status == 0 and errors == ""
    for flag in cli.COMMANDS[command].required:
        assert f"--{flag}" in output
    for example in cli.COMMANDS[command].examples:
        assert f"\n  {example}" in output


def test_every_field_of_the_config_is_explained(run):
    status, output, errors = run("train", "--help-config")
    assert status == 0 and errors == ""
    for name, value in flat(configuration.default().to_dict()).items():
        meaning = output.partition(f"--config.{name}={value}\n")[2].partition("--config")[0].strip()
        assert re.match(r"\w", meaning), name
    assert "[one of minimax, non_saturating" in output and "[1 to 1,048,576]" in output


def test_version(run):
    assert run("--version") == (0, f"t2v_jax {t2v_jax.__version__}\n", "")


def test_usage_lists_the_commands(run):
    status, output, _ = run()
    assert status == 2
    assert all(f"t2v {command}" in output for command in cli.COMMANDS)
    assert run("--help")[0] == 0
