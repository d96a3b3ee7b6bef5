"""Networks and worlds of one's own: the guide's work as they stand, a broken one is refused in one line."""

import json
import pathlib
import re
import sys

import numpy as np
import pytest

import t2v_jax
from t2v_jax.data.source import make_source
from t2v_jax.errors import UsageError
from t2v_jax.evaluation import matcher_training

ROOT = pathlib.Path(__file__).parents[1]
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "docs" / "extending.md").read_text(), re.DOTALL)
FILES = {text.split("\n")[0].removeprefix("# "): text for _, text in BLOCKS if text.startswith("# my_")}
COMMANDS = [line.split(" ", 1)[1] for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]
SNIPPET = next(text for kind, text in BLOCKS if kind == "python" and text.startswith("import t2v_jax"))
TINY = [
    "--config.steps=2",
    "--config.batch_size=4",
    "--config.log_every=1",
    "--config.data.clips=16",
    "--config.data.size=16",
    "--config.text.width=16",
    "--config.text.sentence=mean",
    "--config.generator.painter_channels=(8,)",
    "--config.discriminator.frame_channels=(8,)",
    "--config.discriminator.clip_channels=(8,)",
    "--config.loss.penalty=none",
    "--config.loss.penalty_every=1",
]
# ml_collections loads a configuration so.
pytestmark = pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    """The working directory has the files of docs/extending.md, and nothing of them outlives the test."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    forget()


def forget():
    for name in [name for name in sys.modules if name.startswith("my_")]:
        del sys.modules[name]


@pytest.fixture
def refused(run):
    """The one line that a command ends in."""

    def refused(*arguments):
        status, output, errors = run(*arguments)
        assert status == 2 and output == ""
        lines = [line for line in errors.splitlines() if line.startswith("t2v: ")]
        assert lines == errors.splitlines()[-1:]
        return lines[0]

    return refused


TRAIN = ["train", "--config=my_config.py", "--workdir=run", *TINY]


def test_the_guide_trains_evaluates_exports_and_streams(run, monkeypatch):
    monkeypatch.setattr(matcher_training, "FEWEST_STEPS", 1)
    commands = [re.findall(r'(?:[^\s"]|"[^"]*")+', command) for command in COMMANDS]
    commands = [[word.replace('"', "") for word in command] for command in commands]
    (train, *others) = commands
    assert run(*train, *TINY, "--config.steps=1")[1].endswith("step 1\n")
    assert run(*train, *TINY)[1].endswith("step 2\n")  # it goes on
    assert [run(*command)[0] for command in others] == [0, 0, 0]
    assert json.loads(pathlib.Path("squares.json").read_text())["world"] == "my_world:MyWorld"
    found = {}
    exec(SNIPPET, found)
    clip = t2v_jax.generate(t2v_jax.load("models/squares"), "a red square grows", frames=20)
    assert clip.shape == (20, 16, 16, 3) and clip.dtype == np.uint8
    np.testing.assert_allclose(np.int16(found["frames"]), np.int16(clip), atol=1)


def test_a_run_says_which_module_it_misses(run, refused):
    assert run(*TRAIN, "--config.steps=1")[0] == 0
    pathlib.Path("my_generator.py").unlink()
    forget()
    generate = ["generate", "--model=run", "--prompt=a red square grows", "--output=clip.gif"]
    for command in (generate, ["export", "--workdir=run", "--output=model"], ["evaluate", "--workdir=run"]):
        line = refused(*command)
        assert "my_generator:MyGenerator" in line and "No module named 'my_generator'" in line
    assert not pathlib.Path("model").exists() and not pathlib.Path("clip.gif").exists()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("def __call__", "def paint", "has no method __call__; expected __call__(captions, noise, frames,"),
        ("frame_indices=None, carry=None", "frame_indices=None", "takes no carry in __call__"),
        ("class MyGenerator(nn.Module)", "class MyGenerator", "expected class MyNetwork(flax.linen.Module)"),
        ("    vocabulary_size: int\n", "", "expected the fields config and vocabulary_size"),
        ("return GeneratorOutput", "return pixels, GeneratorOutput", "returns no clips, carry"),
        (
            "if frame_indices is not None",
            "if False",
            "returns clips [4, 16, 16, 16, 3]; expected [batch, frames",
        ),
        ("data.channels", "2", "[4, 4, 16, 16, 2]; expected [batch, frames, size, size, channels] = [4, 4,"),
        ("inputs[:, None], frames", "inputs[:, None], 16", "returns clips that go on [4, 16,"),
        ("GRUCell(self.width)", "GRUCell(self.wide)", "my_generator.py, line"),
        ("(nn.relu(images))", "(nn.BatchNorm(False)(images))", "keeps batch_stats; expected params alone"),
    ],
)
def test_a_generator_without_a_part_is_refused_in_one_line(refused, old, new, told):
    break_file("my_generator.py", old, new)
    line = refused(*TRAIN)
    assert "config.generator.network=my_generator:MyGenerator" in line and told in line
    assert not pathlib.Path("run", "config.json").exists()


def test_a_generator_that_cannot_begin_late_is_refused_in_one_line(refused):
    line = refused(*TRAIN, "--config.schedule.max_start_offset=3")
    assert "takes no burn_in" in line and "or set config.schedule.max_start_offset=0" in line


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("def encode_captions", "def encode", "has no method encode_captions"),
        (
            "logits[None]",
            "logits",
            "returns logits [1, 4, 20]; expected [discriminators, groups, clips, captions]",
        ),
        (
            "[None], features)",
            "[None], frames)",
            "returns features [4, 4, 96]; expected [groups, clips, width]",
        ),
    ],
)
def test_a_discriminator_without_a_part_is_refused_in_one_line(refused, old, new, told):
    break_file("my_discriminator.py", old, new)
    line = refused(*TRAIN)
    assert "config.discriminator.network=my_discriminator:MyDiscriminator" in line and told in line


def test_a_discriminator_whose_captions_cannot_be_compared_is_refused_in_one_line(refused):
    score = "    def score(self, clips, sentences, frame_indices):\n"
    encode = "self.text(captions).embedding)"
    break_file(
        "my_discriminator.py",
        f"{encode}\n\n{score}",
        f"{encode}[:, None]\n\n{score}        sentences = sentences[:, 0]\n",
    )
    assert "returns encoded captions [20, 1, 192]; expected [captions, width] = [20, 192]" in refused(*TRAIN)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("def captions", "def sentences", "has no captions; expected __len__, __getitem__"),
        (
            "self, split, seed, clips, frames, size",
            "self, number",
            "cannot be built: TypeError: MyWorld.__init__() missing 1 required",
        ),
        ('"caption": f', '"text": f', "gives no caption; expected"),
        ("np.uint8", "np.float32", "gives a clip of float32 [16, 16, 16, 3]; expected uint8"),
        ('"caption": f"a', '"caption": f"one', "has a clip of 'one"),
        ("list(CHANGES)", "CHANGES.list()", "my_world.py, line 25"),
    ],
)
def test_a_world_without_a_part_is_refused_in_one_line(refused, old, new, told):
    break_file("my_world.py", old, new)
    line = refused(*TRAIN)
    assert "config.data.world=my_world:MyWorld" in line and told in line


def test_a_world_without_splits_has_no_test_clips(small):
    text = (
        FILES["my_world.py"].replace("self, split, seed", "self, seed").replace('int(split == "train")', "0")
    )
    pathlib.Path("my_world.py").write_text(text)
    small.data.update(world="my_world:MyWorld", channels=3)
    assert len(make_source(small)) == 64
    with pytest.raises(UsageError, match="has no split test; expected a parameter named split"):
        make_source(small, "test")


def test_a_clip_that_fails_during_training_is_told_in_one_line(refused):
    break_file("my_world.py", "        rng =", "        assert index == 0\n        rng =")
    assert "config.data.world=my_world:MyWorld fails: AssertionError" in refused(*TRAIN)


@pytest.mark.parametrize("kind", ["world", "generator", "discriminator"])
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("my_own", "is 'my_own'; expected one of"),
        ("my_own:Thing", "my_own:Thing cannot be imported (ModuleNotFoundError: No module named 'my_own')"),
        ("my_world:Thing", "my_world:Thing cannot be imported (AttributeError: module 'my_world' has no"),
    ],
)
def test_a_name_that_is_not_there_is_told_in_one_line(refused, kind, name, told):
    field = "data.world" if kind == "world" else f"{kind}.network"
    line = refused(*TRAIN, f"--config.{field}={name}")
    assert told in line and kind in line.replace("data.", "") and "package.module:Object" in line


def break_file(name, old, new):
    text = FILES[name]
    assert text.count(old) == 1
    pathlib.Path(name).write_text(text.replace(old, new))
