"""Video files: what is written can be read again, whole or not at all."""

import io
import os
import re

import av
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from t2v_jax.errors import UsageError
from t2v_jax.inference.video import contact_sheet, encode_video, save_video

ENDINGS = ("gif", "mp4", "webp", "png", "npy")

videos = hnp.arrays(
    np.uint8,
    st.tuples(st.integers(1, 5), st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3])),
)


@pytest.fixture
def clip():
    """A gray clip of six different smooth frames, 48 by 64 pixels."""
    rows, columns = np.indices((48, 64))
    frames = [128 + 60 * np.sin(rows / 9 + i) + 60 * np.cos(columns / 7 - i) for i in range(6)]
    return np.stack(frames).astype(np.uint8)[..., None]


def read_animation(data, frames_per_second):
    """RGB frames [frames, height, width, 3] of a GIF or WebP; a frame held on counts again."""
    frames = []
    with Image.open(io.BytesIO(data)) as image:
        for number in range(image.n_frames):
            image.seek(number)
            image.load()
            times = round(image.info.get("duration", 0) * frames_per_second / 1000)
            frames += [np.asarray(image.convert("RGB"))] * max(1, times)
    return np.stack(frames)


def read_mp4(path):
    """RGB frames [frames, height, width, 3] and the rate."""
    with av.open(str(path)) as container:
        rate = float(container.streams.video[0].average_rate)
        return np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)]), rate


def reduced(frames, height):
    """Frames that were enlarged by a whole factor, back at `height`; checks the enlargement."""
    factor = frames.shape[1] // height
    small = frames[:, ::factor, ::factor]
    np.testing.assert_array_equal(small.repeat(factor, 1).repeat(factor, 2), frames)
    return small


@pytest.mark.parametrize("ending", ["gif", "webp"])
@settings(max_examples=25, deadline=None)
@given(video=videos)
def test_an_animation_with_few_colours_comes_back_exactly(tmp_path_factory, ending, video):
    if video.shape[-1] == 3 and ending == "gif":
        video = video[:, :7, :7]  # at most 245 colours
    path = tmp_path_factory.mktemp("video") / f"clip.{ending}"
    save_video(video, path, frames_per_second=10)
    frames = reduced(read_animation(path.read_bytes(), 10), video.shape[1])
    if (video == video[0]).all():  # a still keeps no time
        video, frames = video[:1], frames[:1]
    np.testing.assert_array_equal(frames, np.broadcast_to(video, (*video.shape[:3], 3)))


@settings(max_examples=30, deadline=None)
@given(video=videos)
def test_arrays_and_contact_sheets_come_back_exactly(tmp_path_factory, video):
    directory = tmp_path_factory.mktemp("video")
    save_video(video, directory / "clip.npy")
    np.testing.assert_array_equal(np.load(directory / "clip.npy"), video)
    save_video(video, directory / "clip.png")
    with Image.open(directory / "clip.png") as image:
        pixels = np.asarray(image).reshape(image.height, image.width, video.shape[-1])
    width = video.shape[2]
    for number, frame in enumerate(video):
        left = number * (width + 1)
        np.testing.assert_array_equal(pixels[:, left : left + width], frame)


@settings(max_examples=10, deadline=None)
@given(video=videos)
def test_mp4_keeps_number_and_size_of_frames(tmp_path_factory, video):
    path = tmp_path_factory.mktemp("video") / "clip.mp4"
    save_video(video, path, frames_per_second=12.5)
    frames, rate = read_mp4(path)
    side = min(video.shape[1:3])
    sizes = [-(-256 // side) * axis for axis in video.shape[1:3]]
    assert frames.shape == (len(video), *(size + size % 2 for size in sizes), 3)
    assert rate == 12.5


def test_mp4_looks_like_the_clip(tmp_path, clip):
    save_video(clip, tmp_path / "clip.mp4")
    frames, _ = read_mp4(tmp_path / "clip.mp4")
    enlarged = clip.repeat(6, 1).repeat(6, 2)
    assert np.abs(frames.astype(int) - enlarged).mean() < 2


def test_a_large_clip_keeps_its_size(tmp_path):
    save_video(np.zeros((2, 256, 300, 3), np.uint8), tmp_path / "clip.gif")
    with Image.open(tmp_path / "clip.gif") as image:
        assert image.size == (300, 256)


def starts(path):
    """Seconds at which the frames of a GIF, WebP or MP4 begin, and at which the last one ends."""
    if path.suffix == ".mp4":
        with av.open(str(path)) as container:
            times = [frame.time for frame in container.decode(video=0)]
            return np.array([*times, container.duration / av.time_base])
    with Image.open(path) as image:
        times = [0]
        for number in range(image.n_frames):
            image.seek(number)
            image.load()
            times.append(times[-1] + image.info["duration"] / 1000)
    return np.array(times)


@pytest.mark.parametrize("rate", [0.5, 7, 10, 12.5, 23.976, 24, 30, 50])
@pytest.mark.parametrize(("ending", "unit"), [("gif", 0.01), ("webp", 0.001), ("mp4", 0.0005)])
def test_every_frame_begins_at_its_time(tmp_path, clip, ending, unit, rate):
    path = tmp_path / f"clip.{ending}"
    save_video(clip, path, frames_per_second=rate)
    np.testing.assert_allclose(starts(path), np.arange(7) / rate, rtol=0, atol=0.501 * unit)


def test_a_frame_too_short_for_browsers_is_refused_with_the_limit(clip):
    for ending, rate in ((".gif", 50), (".webp", 90)):
        assert encode_video(clip, ending, rate)
        with pytest.raises(UsageError, match=f"expected 0.01 to {rate} for a {ending} file"):
            encode_video(clip, ending, rate + 1)


def test_a_still_longer_than_a_gif_can_hold_is_refused():
    with pytest.raises(UsageError, match="655 seconds at most"):
        encode_video(np.zeros((8, 9, 9, 1), np.uint8), ".gif", 0.01)


def test_mp4_plays_before_it_is_whole_and_in_its_colours():
    red = np.full((3, 64, 64, 3), (208, 20, 0), np.uint8)
    data = encode_video(red, ".mp4")
    assert 0 < data.find(b"moov") < data.find(b"mdat")
    with av.open(io.BytesIO(data)) as container:
        frame = next(container.decode(video=0))
    bt709, limited = 1, 1
    found = frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range
    assert found == (bt709, bt709, bt709, limited)
    assert np.abs(frame.to_ndarray(format="rgb24") - np.int16([208, 20, 0])).max() <= 3


@pytest.mark.parametrize("ending", ["gif", "webp"])
def test_animations_loop_for_ever_at_the_asked_rate(tmp_path, clip, ending):
    save_video(clip, tmp_path / f"clip.{ending}", frames_per_second=5)
    with Image.open(tmp_path / f"clip.{ending}") as image:
        image.load()
        assert image.info["loop"] == 0
        assert image.info["duration"] == 200
        assert image.n_frames == 6


def test_gif_of_many_colours_shares_one_palette_near_the_colours(tmp_path):
    rows, columns = np.indices((64, 64)) * 4
    frames = [np.stack([rows, columns, np.full_like(rows, 60 * i)], -1) for i in range(4)]
    video = np.stack(frames).astype(np.uint8)
    save_video(video, tmp_path / "clip.gif")
    read = reduced(read_animation((tmp_path / "clip.gif").read_bytes(), 10), 64)
    assert len(np.unique(read.reshape(-1, 3), axis=0)) <= 256
    assert np.abs(read.astype(int) - video).mean() < 12


def test_an_array_of_jax_is_a_video(tmp_path, clip):
    save_video(jnp.asarray(clip), tmp_path / "clip.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "clip.npy"), clip)


def test_an_ending_in_capitals_is_understood(tmp_path, clip):
    save_video(clip, tmp_path / "CLIP.GIF")
    assert (tmp_path / "CLIP.GIF").read_bytes().startswith(b"GIF89a")


@pytest.mark.parametrize("ending", ENDINGS)
def test_nothing_but_the_file_is_left(tmp_path, clip, ending):
    save_video(clip, tmp_path / f"clip.{ending}")
    assert [path.name for path in tmp_path.iterdir()] == [f"clip.{ending}"]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_write_that_fails_leaves_the_old_file(tmp_path, clip, ending, failure, monkeypatch):
    path = tmp_path / f"clip.{ending}"
    path.write_bytes(b"old")

    def fail(*_):
        raise failure

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises((KeyboardInterrupt, UsageError)):
        save_video(clip, path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["clip.avi", "clip", "clip.gif.zip"])
def test_another_ending_is_refused_with_the_known_ones(tmp_path, clip, name):
    with pytest.raises(UsageError) as caught:
        save_video(clip, tmp_path / name)
    assert all(f".{ending}" in str(caught.value) for ending in ENDINGS)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("place", ["nowhere/clip.gif", "file/clip.gif"])
def test_a_place_that_is_no_directory_is_named(tmp_path, clip, place):
    (tmp_path / "file").write_text("kept")
    with pytest.raises(UsageError, match=re.escape(str(tmp_path / place))):
        save_video(clip, tmp_path / place)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_directory_under_the_name_is_not_replaced(tmp_path, clip):
    (tmp_path / "clip.gif").mkdir()
    with pytest.raises(UsageError, match="clip.gif"):
        save_video(clip, tmp_path / "clip.gif")
    assert [path.name for path in tmp_path.iterdir()] == ["clip.gif"]


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        (np.zeros((2, 8, 8, 1), np.float32), "float32 [2, 8, 8, 1]"),
        (np.zeros((2, 8, 8), np.uint8), "uint8 [2, 8, 8]"),
        (np.zeros((2, 8, 8, 4), np.uint8), "uint8 [2, 8, 8, 4]"),
        (np.zeros((0, 8, 8, 1), np.uint8), "uint8 [0, 8, 8, 1]"),
        (np.zeros((1, 2, 8, 8, 3), np.uint8), "uint8 [1, 2, 8, 8, 3]"),
    ],
)
def test_an_array_that_is_no_video_is_refused(tmp_path, wrong, found):
    with pytest.raises(UsageError, match=re.escape(found)):
        save_video(wrong, tmp_path / "clip.gif")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("rate", [0, -5, float("nan"), 5000])
def test_a_rate_out_of_range_is_refused(tmp_path, clip, rate):
    with pytest.raises(UsageError, match="frames a second; expected 0.01 to 50 for a .gif"):
        save_video(clip, tmp_path / "clip.gif", frames_per_second=rate)


@settings(max_examples=30, deadline=None)
@given(
    videos=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=4, max_dims=4, max_side=5)),
    channels=st.sampled_from([1, 3]),
    data=st.data(),
)
def test_a_sheet_has_a_row_a_clip_and_a_column_a_frame(videos, channels, data):
    videos = np.stack([videos] * channels, -1)
    clips, frames, height, width, _ = videos.shape
    columns = data.draw(st.integers(1, frames))
    sheet = contact_sheet(videos, columns)
    assert sheet.shape == (clips * (height + 1) - 1, columns * (width + 1) - 1, channels)
    shown = np.linspace(0, frames - 1, columns).round().astype(int)
    for row in range(clips):
        for column, frame in enumerate(shown):
            top, left = row * (height + 1), column * (width + 1)
            cell = sheet[top : top + height, left : left + width]
            np.testing.assert_array_equal(cell, videos[row, frame])
    assert (sheet[height :: height + 1] == 128).all()
    assert (sheet[:, width :: width + 1] == 128).all()


@pytest.mark.parametrize("columns", [0, 7])
def test_a_sheet_of_more_frames_than_there_are_is_refused(clip, columns):
    with pytest.raises(UsageError, match="expected 1 to 6"):
        contact_sheet(clip[None], columns)
