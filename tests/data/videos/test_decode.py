"""Decoding: every container gives the clips that were asked for, and no damaged file does harm."""

import dataclasses
import fractions
import json
import os
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest

from t2v_jax.data.videos import decoder_pool, pictures
from t2v_jax.data.videos.decode import ClipSpec, decode
from t2v_jax.data.videos.decoder_pool import Decoders
from t2v_jax.data.videos.pictures import MOST_PIXELS, UnusableVideo
from t2v_jax.data.videos.readers import ENDINGS
from t2v_jax.errors import UsageError
from tests.data.videos import files as videos

SMALL = ClipSpec(frames=4, size=16)
MEMORY = 640 << 20  # bytes that a process which decodes stays below, for any file


def unusable(path, spec=SMALL):
    with pytest.raises(UnusableVideo) as caught:
        decode(path, spec)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def colour(clip):
    """Where the square is: the mean column of the red pixels of each frame, in 0 .. 1."""
    red = clip[..., 0].astype(int) - clip[..., 2] > 60
    return [np.nonzero(frame)[1].mean() / frame.shape[1] for frame in red]


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_kind_of_file_shows_its_video(ending, tmp_path):
    path = videos.write(tmp_path / f"a{ending.upper()}")
    clips, width, height, remark = decode(path, ClipSpec(frames=20, fps=10, size=32))
    assert clips.dtype == np.uint8 and clips.shape == (1, 20, 32, 32, 3)
    assert (width, height, remark) == (48, 32, "")
    expected = videos.moving()[:, :, 8:40]
    assert np.abs(clips[0].astype(int) - expected).mean() < 6


def test_a_square_from_the_centre_is_averaged_over_areas(tmp_path):
    film = np.zeros((4, 32, 64, 3), np.uint8)
    film[:, :, 16:32] = 200  # the left half of the centre
    film[:, ::2, 32:48] = 200  # every other row of the right half
    film[::2, :, 0] = 1  # outside; without it all frames would be one
    (clip,), *_ = decode(videos.write(tmp_path / "a.apng", film), ClipSpec(frames=4, size=8, channels=1))
    assert clip.shape == (4, 8, 8, 1)
    assert (clip[:, :, :4] == 200).all() and (clip[:, :, 4:] == 100).all()


@pytest.mark.parametrize(("fps", "picks"), [(10, [0, 2, 4, 6]), (20, [0, 1, 2, 3]), (40, [0, 0, 1, 1])])
def test_frames_are_those_seen_at_an_even_pace(fps, picks, tmp_path):
    film = np.arange(20, dtype=np.uint8)[:, None, None, None].repeat(16, 1).repeat(16, 2).repeat(3, 3) * 10
    for ending in (".mp4", ".webm", ".gif"):
        path = videos.write(tmp_path / f"a{ending}", film, fps=20)
        levels = decode(path, ClipSpec(frames=4, fps=fps, size=1, channels=1)).clips[0].ravel()
        np.testing.assert_allclose(levels, np.array(picks) * 10, atol=4)


@pytest.mark.parametrize(
    ("stride", "segments", "starts"),
    [
        (None, 16, [0, 4, 8, 12, 16]),
        (None, 2, [0, 4]),
        (2, 3, [0, 2, 4]),
        (7, 16, [0, 7, 14]),
        (16, 9, [0, 16]),
    ],
)
def test_a_long_file_gives_many_clips(stride, segments, starts, tmp_path):
    film = np.arange(20, dtype=np.uint8)[:, None, None, None].repeat(8, 1).repeat(8, 2).repeat(3, 3) * 10
    path = videos.write(tmp_path / "a.apng", film)
    clips = decode(path, ClipSpec(frames=4, size=1, channels=1, stride=stride, segments=segments)).clips
    assert clips[:, :, 0, 0, 0].tolist() == [[10 * (start + i) for i in range(4)] for start in starts]


def test_pixels_that_are_not_square_are_shown_in_shape(tmp_path):
    film = videos.moving(height=32, width=32)
    wide = {"sample_aspect_ratio": fractions.Fraction(2)}
    path = videos.write(tmp_path / "a.mp4", film, **wide)
    (clip,), *_ = decode(path, ClipSpec(frames=20, size=32))
    expected = film[:, :, 8:24].repeat(2, axis=2)
    assert np.abs(clip.astype(int) - expected).mean() < 8


def test_what_is_transparent_is_white(tmp_path):
    from PIL import Image

    clear, blue = (Image.new("RGBA", (16, 16), (0, 0, 255, alpha)) for alpha in (0, 255))
    options = {"save_all": True, "append_images": [blue, clear, blue], "duration": 100, "lossless": True}
    clear.save(tmp_path / "a.webp", **options)
    (clip,), *_ = decode(tmp_path / "a.webp", SMALL)
    assert (clip[::2] == 255).all() and (clip[1::2] == (0, 0, 255)).all()


def test_why_a_file_gives_no_clip(tmp_path):
    short = videos.write(tmp_path / "short.mp4", videos.moving(frames=3))
    assert unusable(short).startswith("too short: 0.30 s; 4 frames at 10 a second need 0.40 s, it fits with")
    still = videos.write(tmp_path / "still.webp", videos.moving(frames=1))
    assert unusable(still) == "too short: 0.10 s; 4 frames at 10 a second need 0.40 s"
    large = videos.write(tmp_path / "large.gif")
    large.write_bytes(large.read_bytes().replace(struct.pack("<HH", 48, 32), struct.pack("<HH", 4096, 2305)))
    assert unusable(large) == f"too large: 4096 x 2305 pixels a frame, at most {MOST_PIXELS} are read"
    for name, data in {"text.mp4": b"no video", "misnamed.avi": short.read_bytes()}.items():
        (tmp_path / name).write_bytes(data)
        assert unusable(tmp_path / name).startswith(f"damaged, or no .{name[-3:]} file by its content (")
    assert "No such file" in unusable(tmp_path / "nosuch.mp4")


@pytest.mark.parametrize("frames", [2, 3, 5, 7])
def test_a_short_file_fits_at_the_pace_that_is_told(tmp_path, frames):
    path, spec = videos.write(tmp_path / "short.mp4", videos.moving(frames=frames)), ClipSpec(size=16)
    pace = float(unusable(path, spec).split("--fps=")[1])
    assert pace < 1.02 * spec.fps * (spec.frames - 1) / (frames - 1)
    assert len(decode(path, dataclasses.replace(spec, fps=pace)).clips) == 1


def test_a_video_is_read_no_further_than_needed(tmp_path, monkeypatch):
    path = videos.write(tmp_path / "a.mkv", videos.moving(frames=40))
    monkeypatch.setattr(pictures, "MOST_FRAMES", 5)
    assert len(decode(path, ClipSpec(frames=4, size=8, segments=1)).clips) == 1
    assert unusable(path, ClipSpec(frames=8, size=8)).startswith("too short: 0.50 s")


@pytest.mark.parametrize(
    "wrong",
    [
        {"frames": 0},
        {"size": 0},
        {"size": 9999},
        {"stride": 0},
        {"segments": 0},
        {"fps": 0.0},
        {"channels": 4},
    ],
)
def test_an_impossible_recipe_is_named(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(UsageError, match=f"^{name}={value}: expected "):
        ClipSpec(**wrong)


def test_a_file_that_hangs_its_decoder_harms_no_other(tmp_path, monkeypatch):
    monkeypatch.setattr(decoder_pool, "PATIENCE", 2)
    os.mkfifo(tmp_path / "hangs.mp4")
    good = videos.write(tmp_path / "good.mp4")
    with Decoders(SMALL, 1) as decode_all:
        first, hung, last = decode_all([good, tmp_path / "hangs.mp4", good])
        (again,) = decode_all([good])
    assert hung == "damaged: its decoder crashed or took more than 2 s"
    assert first.clips.shape == last.clips.shape == again.clips.shape == (5, 4, 16, 16, 3)


# Endings of one format: a file may have the name of another.
SAME = [{".mp4", ".mov"}, {".webm", ".mkv"}, *({ending} for ending in ENDINGS)]

FUZZ = """
import json, pathlib, resource, sys
from t2v_jax.data.videos.decode import ClipSpec
from t2v_jax.data.videos.decoder_pool import Decoders
with Decoders(ClipSpec(frames=4, size=16), 2) as decode_all:
    paths = sorted(pathlib.Path(sys.argv[1]).iterdir())
    outcomes = zip(paths, decode_all(paths))
    told = {p.name: o if isinstance(o, str) else list(o.clips.shape) for p, o in outcomes}
print(json.dumps([told, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
"""


def damaged(kinds, rng):
    """Name -> bytes of more than 500 damaged files of all kinds."""
    for ending, data in kinds.items():
        for index in range(20):
            yield f"cut{index:02d}{ending}", data[: rng.integers(1, len(data))]
        for index in range(30):
            flipped = np.frombuffer(data, np.uint8).copy()
            # Half of them in the header, where the sizes stand.
            end = 256 if index % 2 else len(data)
            places = rng.integers(0, min(end, len(data)), 1 + index // 3)
            flipped[places] ^= (1 << rng.integers(0, 8, len(places))).astype(np.uint8)
            yield f"flipped{index:02d}{ending}", flipped.tobytes()
        for other in kinds.keys() - next(same for same in SAME if ending in same):
            yield f"misnamed_{ending[1:]}{other}", data
        yield f"noise{ending}", data[:64] + rng.bytes(4096)
    yield from huge(kinds).items()


def huge(kinds):
    """Files that declare frames of 16,383 pixels or more a side."""
    size = b"\xff\xff\xff\xff"
    header = b"IHDR" + struct.pack(">II", 1 << 16, 1 << 16) + kinds[".apng"][24:29]
    apng, webp, gif = kinds[".apng"], kinds[".webp"], kinds[".gif"]
    vp8 = b"\x9d\x01\x2a"  # in each key frame, before its sides
    vp8 = vp8 + struct.pack("<HH", 48, 32), vp8 + b"\xff\x3f\xff\x3f"
    return {
        **{f"huge{ending}": kinds[ending].replace(*vp8) for ending in (".webm", ".ogv")},
        "huge.gif": gif[:6] + size + gif[10:],
        "huge.webp": webp[:24] + b"\xff\x3f\x00\xff\x3f\x00" + webp[30:],
        "huge.apng": apng[:12] + header + struct.pack(">I", zlib.crc32(header)) + apng[33:],
        "huge.mp4": kinds[".mp4"].replace(struct.pack(">HH", 48, 32), size),
        "huge.avi": kinds[".avi"].replace(struct.pack("<II", 48, 32), struct.pack("<II", 1 << 16, 1 << 16)),
        "huge.mkv": kinds[".mkv"].replace(b"\xb0\x81\x30\xba\x81\x20", b"\xb0\x81\xff\xba\x81\xff"),
    }


def test_damaged_files_are_told_without_crash_hang_or_much_memory(tmp_path):
    kinds = videos.all_kinds(frames=8)
    files = dict(damaged(kinds, np.random.default_rng(0)))
    assert len(files) >= 500
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    with (tmp_path / "sparse.ogv").open("wb") as file:
        file.truncate(1 << 32)
    command = [sys.executable, "-W", "error", "-c", FUZZ, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    told, most_memory = json.loads(done.stdout)
    assert done.stderr == "" and len(told) == len(files) + 1
    assert not [name for name, outcome in told.items() if "crashed" in outcome]
    assert all(outcome[1:] == [4, 16, 16, 3] for outcome in told.values() if isinstance(outcome, list))
    assert all(
        isinstance(told[name], str) for name in told if name.startswith(("misnamed", "noise", "sparse"))
    )
    refused = sum(isinstance(outcome, str) for outcome in told.values())
    assert refused > len(files) / 3
    assert most_memory * (1 if sys.platform == "darwin" else 1024) < MEMORY
