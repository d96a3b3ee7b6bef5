"""Experiments: their commands start, with no flag defined twice; I3D's convolution is that of Flax."""

import pathlib
import runpy
import subprocess
import sys
import types

import jax
import numpy as np
import pytest
from flax import linen as nn

ROOT = pathlib.Path(__file__).parents[1]
COMMANDS = sorted(path for path in ROOT.glob("experiments/*/*.py") if "app.run(main)" in path.read_text())


@pytest.mark.parametrize("command", COMMANDS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_command_tells_its_flags(command):
    told = subprocess.run([sys.executable, command, "--help"], capture_output=True, text=True)
    own_flags = f"{command}:" if "flags.DEFINE" in command.read_text() else ""
    assert own_flags in told.stdout and "Try --helpfull" in told.stdout, told.stderr


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
    ],
)
def test_the_readers_of_folders_know_what_a_caption_names(folder, captions, told):
    source = types.SimpleNamespace(captions=lambda: dict.fromkeys(captions))
    reader = runpy.run_path(str(ROOT / "experiments" / "recipe" / "reader.py"))["Reader"](folder, source)
    wanted = reader.wanted(captions)
    assert [[values[i] for values, i in zip(reader.values.values(), row)] for row in wanted] == told


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
