"""Folders of `experiments/folders`: each file gives clips, as their scripts painted them.

Those of real packages are looked for in the directory T2V_PACKAGES, which holds what the scripts fetch.
"""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from t2v_jax.data.videos.decode import ClipSpec, decode
from t2v_jax.data.videos.folder import read_folder
from tests.data.tfds import emoji

SCRIPTS = pathlib.Path(__file__).parents[1] / "experiments" / "folders"
NEEDS = {  # flags of directories, each with a file that is there when the package is
    "icons": ".",
    "photographs": "usr/share/backgrounds/mate/nature/Dune.jpg",
    "sheets": "body/female/light.png",
    "packages": "usr/share/pymecavideo/data/video/g1.avi",
}


def _make(script, output, **options):
    told = [f"--{name}={value}" for name, value in {**options, "output": output}.items()]
    made = subprocess.run([sys.executable, SCRIPTS / script, *told], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    assert f"t2v data prepare {output}" in made.stdout
    return read_folder(output)


def _directories(*names):
    if (root := os.environ.get("T2V_PACKAGES")) is None:
        pytest.skip("T2V_PACKAGES names no directory of packages")
    if "icons" in names:
        pytest.importorskip("resvg_py")
    if missing := [NEEDS[name] for name in names if not pathlib.Path(root, NEEDS[name]).exists()]:
        pytest.skip(f"no {' '.join(missing)}")
    return dict.fromkeys(names, root)


@pytest.mark.parametrize(
    ("script", "needs", "words"),
    [
        ("plain.py", ["icons"], "moving"),
        ("hidden.py", ["icons", "photographs"], "moving"),
        ("pans.py", ["photographs"], "camera"),
        ("characters.py", ["sheets"], "shirt dress"),
    ],
)
def test_made_up_scenes_give_a_clip_a_file_and_the_same_again(tmp_path, script, needs, words):
    folders = [_make(script, tmp_path / name, clips=8, **_directories(*needs)) for name in "ab"]
    assert len(folders[0].videos) == 8 and not folders[0].left_out
    for video, again in zip(*(folder.videos for folder in folders)):
        assert set(video.captions[0].split()) & set(words.split())
        clips, repeated = (decode(folder.directory / video.name, ClipSpec()).clips for folder in folders)
        assert len(clips) == 1 and clips.std() > 0
        np.testing.assert_array_equal(clips, repeated)
        assert video == again


def test_all_animated_emoji_are_told_by_their_names(tmp_path):
    emoji.packages(tmp_path)
    folder = _make("everyone.py", tmp_path / "made", packages=tmp_path)
    assert '"woman biking, dark skin tone"' in (folder.directory / "captions.csv").read_text()
    for video in folder.videos:
        assert decode(folder.directory / video.name, ClipSpec()).clips.shape == (1, *ClipSpec().shape)


def test_every_video_gives_clips(tmp_path):
    folder = _make("films.py", tmp_path / "made", **_directories("packages"))
    assert len(folder.videos) == 12 and not folder.left_out
    for video in folder.videos:
        assert len(decode(folder.directory / video.name, ClipSpec(fps=25)).clips)
