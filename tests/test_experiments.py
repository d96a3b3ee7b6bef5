"""Experiments: their commands start, their configs train, resume and generate by the ordinary commands."""

import json
import pathlib
import runpy
import subprocess
import sys
import types

import jax
import numpy as np
import pytest
from flax import linen as nn

from t2v_jax import cli
from t2v_jax import config as configuration
from t2v_jax.data.source import drawn_worlds

ROOT = pathlib.Path(__file__).parents[1]
COMMANDS = sorted(path for path in ROOT.glob("experiments/*/*.py") if "app.run(main)" in path.read_text())


@pytest.mark.parametrize("command", COMMANDS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_command_tells_its_flags(command):
    told = subprocess.run([sys.executable, command, "--help"], capture_output=True, text=True)
    own_flags = f"{command}:" if "flags.DEFINE" in command.read_text() else ""
    assert own_flags in told.stdout and "Try --helpfull" in told.stdout, told.stderr


SMALL = [
    "--config.batch_size=4",
    "--config.log_every=1",
    "--config.data.size=16",
    "--config.data.digit_size=8",
    "--config.data.clips=64",
    "--config.text.word_width=8",
    "--config.text.width=16",
    "--config.generator.noise_width=8",
    "--config.generator.style_width=16",
    "--config.generator.scene_channels=8",
    "--config.generator.painter_channels=(8,)",
    "--config.discriminator.frame_channels=(8,)",
    "--config.discriminator.clip_channels=(8,)",
    "--config.loss.penalty=none",
    "--config.loss.penalty_every=1",
]
ABLATIONS, BASELINES = (
    runpy.run_path(str(ROOT / "experiments" / kind / "config.py")) for kind in ("ablations", "baselines")
)
RUNS = [  # those that have networks of their own
    "ablations/config.py:recurrence",
    *(f"baselines/config.py:{baseline}" for baseline in BASELINES["BASELINES"]),
]


@pytest.mark.parametrize("variant", sorted(ABLATIONS["VARIANTS"].keys() - {"vectors"}))  # takes a package
def test_a_variant_differs_in_what_it_takes_away_alone(variant):
    config, whole = (configuration.check(ABLATIONS["get_config"](name)) for name in (variant, "whole"))
    assert configuration.differences(config, whole).keys() == ABLATIONS["VARIANTS"][variant].changes.keys()


# ml_collections loads a configuration so.
@pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")
@pytest.mark.parametrize("config", sorted(RUNS))
def test_config_trains_resumes_and_generates(config, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    together = "2" if config.startswith("ablations") else "1"
    train = ["train", f"--config=experiments/{config}", f"--workdir={tmp_path / 'run'}", *SMALL]
    train.append(f"--config.data.clips_per_caption={together}")
    for step in (1, 2):
        assert cli.main([*train, f"--config.steps={step}"]) == 0
        assert capsys.readouterr().out.endswith(f": step {step}\n")
    clip = tmp_path / "clip.npy"
    prompt = ["--prompt=the digit 3 is moving up and down", f"--model={tmp_path / 'run'}"]
    assert cli.main(["generate", *prompt, "--frames=18", f"--output={clip}"]) == 0
    assert np.load(clip).shape == (18, 16, 16, 1)


def test_the_reader_of_characters_knows_what_a_caption_names():
    reader = runpy.run_path(str(ROOT / "experiments" / "characters" / "reader.py"))
    captions = [
        "a woman with red hair in a teal shirt and blue pants casts a spell to the left",
        "an orc in a pink dress walks toward us",
    ]
    asked = reader["wanted"](captions)
    told = [[values[i] for values, i in zip(reader["ATTRIBUTES"].values(), row)] for row in asked]
    assert told[0] == ["woman", "red", "shirt", "teal", "blue", "casts", "left"]
    assert told[1] == ["orc", "none", "dress", "pink", "none", "walks", "toward"]
    assert reader["named"](asked).tolist() == [[True] * 7, [True, False, True, True, False, True, True]]


@pytest.mark.parametrize(
    ("folder", "captions", "told"),
    [
        (
            "plain",
            ["a small red apple moving left", "a large slice of pizza moving up"],
            [["red apple", "left"], ["slice of pizza", "up"]],
        ),
        (
            "pans",
            ["the camera pans left over a dune by the sea", "the camera zooms in on fruits"],
            [["a dune by the sea", "pans left over"], ["fruits", "zooms in on"]],
        ),
        (
            "hidden",
            ["a banana moving left behind a cat", "a cat moving up in front of a slice of pizza"],
            [["banana", "left", "behind", "cat"], ["cat", "up", "in front of", "slice of pizza"]],
        ),
    ],
)
def test_the_readers_of_folders_know_what_a_caption_names(folder, captions, told):
    source = types.SimpleNamespace(captions=lambda: dict.fromkeys(captions))
    reader = runpy.run_path(str(ROOT / "experiments" / "recipe" / "reader.py"))["Reader"](folder, source)
    wanted = reader.wanted(captions)
    assert [[values[i] for values, i in zip(reader.values.values(), row)] for row in wanted] == told


def test_natural_sentences_ask_for_what_judges_can_name():
    folder = ROOT / "experiments" / "sentences"
    judges = runpy.run_path(str(folder / "judges.py"))
    lines = [*map(json.loads, (folder / "sentences.jsonl").read_text().splitlines())]
    assert len(lines) == 60 and sum(line["read"] for line in lines) == 20
    for line in lines:
        if line["model"] in ("moving-digits", "two-digits", "moving-shapes"):
            attributes = drawn_worlds()[line["model"].replace("-", "_")].attributes
            assert all(value in attributes[name] for name, value in line["shows"].items()), line
        if line["model"] == "animated-emoji":
            assert line["shows"]["act"] in judges["ACTS"]


def test_two_things_are_right_in_either_order():
    shows = runpy.run_path(str(ROOT / "experiments" / "sentences" / "judges.py"))["shows"]
    found = {"digit_1": "3", "motion_1": "up", "digit_2": "5", "motion_2": "left"}
    swapped = {"digit_1": "5", "motion_1": "left", "digit_2": "3", "motion_2": "up"}
    assert all(shows(found, swapped).values())
    assert shows(found, swapped | {"motion_1": "up"}) == dict.fromkeys(found, True) | {"motion_1": False}
    assert not any(shows(found, {"digit_1": "9"}).values())


@pytest.mark.parametrize("frames", [9, 16])
@pytest.mark.parametrize(("taps", "step"), [(7, 2), (3, 1), (1, 1)])
def test_frames_stacked_as_channels_convolve_as_clips_do(taps, step, frames):
    layer = nn.Conv(5, (taps, 3, 3), strides=(step, 2, 1), padding="SAME", use_bias=False)
    clips = jax.random.normal(jax.random.key(0), (2, frames, 8, 8, 3))
    weights = layer.init(jax.random.key(1), clips)
    i3d = runpy.run_path(str(ROOT / "experiments" / "video_distance" / "i3d.py"))
    with nn.intercept_methods(i3d["_convolve_frames"]):
        convolved = layer.apply(weights, clips)
    np.testing.assert_allclose(convolved, layer.apply(weights, clips), atol=1e-5)
