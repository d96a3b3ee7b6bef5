"""What `generate` returns: an array like any other, which plays in a notebook and saves itself."""

import base64
import io
import pickle
import re
import sys
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

import t2v_jax

PROMPTS = ["digit 3 is up and down.", "the digit 7 is moving left and right"]


@pytest.fixture(scope="module")
def videos(trained):
    return t2v_jax.generate(t2v_jax.load(trained), PROMPTS, seed=1)


def played(html):
    """The frames, uint8 [frames, height, width, 3], of each picture in a text of HTML."""
    clips = []
    for data in re.findall(r'src="data:image/webp;base64,([^"]+)"', html):
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            clips.append([])
            for number in range(image.n_frames):
                image.seek(number)
                clips[-1].append(np.asarray(image.convert("RGB")))
    return np.array(clips)


def test_a_notebook_plays_one_video_and_several(videos):
    shown = played(videos._repr_html_())[:, :, ::16, ::16]  # each pixel is a square of 16
    np.testing.assert_array_equal(shown, np.broadcast_to(videos, shown.shape))
    np.testing.assert_array_equal(played(videos[1]._repr_html_())[0, :, ::16, ::16], shown[1])


def test_what_is_no_video_is_shown_as_numbers(videos):
    others = videos[0, 0], videos / 2, videos[:0], videos[..., 0].mean(0), np.zeros_like(videos, float)
    assert [array._repr_html_() for array in others] == [None] * 5


def test_it_is_an_array_like_any_other(videos):
    plain = np.asarray(videos, copy=True)
    assert isinstance(videos, t2v_jax.Video) and type(plain) is np.ndarray
    assert isinstance(videos[0, ::-1], t2v_jax.Video)
    np.testing.assert_array_equal(videos[0, ::-1], plain[0, ::-1])
    assert float(videos.mean()) == plain.mean() and np.ndim(videos.max()) == 0
    again = pickle.loads(pickle.dumps(videos))
    assert isinstance(again, t2v_jax.Video)
    np.testing.assert_array_equal(again, plain)
    np.testing.assert_array_equal(jax.jit(jnp.flip)(videos), plain[::-1, ::-1, ::-1, ::-1, ::-1])
    assert videos.flags.writeable


def test_it_saves_itself(videos, tmp_path):
    videos[0].save(tmp_path / "one.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "one.npy"), videos[0])
    videos.save(tmp_path / "two.gif", frames_per_second=5)
    with Image.open(tmp_path / "two.gif") as image:
        assert image.info["duration"] == 200 and image.width / image.height == 33 / 16


def test_show_needs_a_notebook(videos, monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", None)
    with pytest.raises(t2v_jax.UsageError, match=r"no notebook .* video.save"):
        videos.show()
    shown = []
    display = types.SimpleNamespace(display=shown.append)
    notebook = types.SimpleNamespace(display=display, get_ipython=lambda: "a shell")
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    videos.show()
    assert shown[0] is videos
