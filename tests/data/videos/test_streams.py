"""Video files of others: frames in their order and time, upright, in their colours; damage is passed over."""

import io
import struct

import av
import numpy as np
import pytest
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from t2v_jax.data.videos.decode import ClipSpec, decode
from tests.data.videos import files as videos

MANY_B_FRAMES = {"x264-params": "bframes=3:b-adapt=0:scenecut=0"}


def brightening(frames=20, size=32):
    """A film whose frame i is of the level 10 i."""
    return (
        np.arange(frames, dtype=np.uint8)[:, None, None, None].repeat(size, 1).repeat(size, 2).repeat(3, 3)
        * 10
    )


def levels(path, frames=20, fps=10):
    """What is seen of a brightening film, in frames."""
    clips = decode(path, ClipSpec(frames=frames, fps=fps, size=1, channels=1)).clips
    return (clips[0].ravel() / 10).round().astype(int).tolist()


def remuxed(data, ending, change=lambda number, packet: packet):
    """The file with `change(number, packet)` in place of each packet; None leaves it out."""
    stream = io.BytesIO()
    kind = videos.FORMATS.get(ending, ending[1:])
    with av.open(io.BytesIO(data)) as source, av.open(stream, "w", format=kind) as target:
        track = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            changed = change(number, packet) if packet.size else None
            if changed is not None:
                changed.stream = track
                target.mux(changed)
    return stream.getvalue()


def replaced(packet, content):
    other = av.Packet(content)
    for name in ("pts", "dts", "duration", "time_base"):
        setattr(other, name, getattr(packet, name))
    return other


@pytest.mark.parametrize("ending", [".avi", ".mp4", ".mov", ".mkv"])
def test_frames_that_are_stored_in_another_order_are_seen_in_theirs(ending, tmp_path):
    path = tmp_path / f"a{ending}"
    path.write_bytes(videos.encode(brightening(), ending, codec="libx264", options=MANY_B_FRAMES))
    assert levels(path) == list(range(20))


EIGHT = {  # a, b, c, d of a display matrix -> what it makes of a picture
    (1, 0, 0, 1): lambda film: film,
    (-1, 0, 0, 1): lambda film: film[:, :, ::-1],
    (1, 0, 0, -1): lambda film: film[:, ::-1],
    (-1, 0, 0, -1): lambda film: film[:, ::-1, ::-1],
    (0, 1, 1, 0): lambda film: film.swapaxes(1, 2),
    (0, 1, -1, 0): lambda film: np.rot90(film, -1, axes=(1, 2)),
    (0, -1, 1, 0): lambda film: np.rot90(film, 1, axes=(1, 2)),
    (0, -1, -1, 0): lambda film: np.rot90(film.swapaxes(1, 2), 2, axes=(1, 2)),
}


@pytest.mark.parametrize("matrix", EIGHT)
def test_all_eight_orientations_are_upright(matrix, tmp_path):
    film = videos.moving(frames=4, height=32, width=48)
    film[:, :4] = (0, 0, 200)  # no symmetry
    data = videos.encode(film, ".mp4")

    def stored(a, b, c, d):
        return struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)

    place = data.index(stored(1, 0, 0, 1), data.index(b"tkhd"))
    (tmp_path / "a.mp4").write_bytes(data[:place] + stored(*matrix) + data[place + 36 :])
    (clip,), width, height, remark = decode(tmp_path / "a.mp4", ClipSpec(frames=4, size=32))
    expected = EIGHT[matrix](film)
    assert (height, width) == expected.shape[1:3] and remark == ""
    crop = expected[:, :, 8:40] if width > height else expected[:, 8:40]
    assert np.abs(clip.astype(int) - crop).mean() < 8


@pytest.mark.parametrize("ending", [".ogv", ".mkv"])
def test_a_packet_without_content_shows_the_frame_before_once_more(ending, tmp_path):
    data = videos.encode(brightening(), ending)
    repeated = remuxed(data, ending, lambda n, packet: replaced(packet, b"") if n in (5, 6) else packet)
    (tmp_path / f"a{ending}").write_bytes(repeated)
    seen = levels(tmp_path / f"a{ending}")
    assert seen[:7] == [*range(5), 4, 4] and np.abs(np.subtract(seen[7:], range(7, 20))).max() <= 2


def zeroed(packet):
    return replaced(packet, bytes(packet.size))


def test_what_can_be_decoded_of_a_damaged_video_is_used(tmp_path):
    data = videos.encode(brightening(), ".mp4")
    path = tmp_path / "a.mp4"
    path.write_bytes(remuxed(data, ".mp4", lambda n, packet: zeroed(packet) if n == 7 else packet))
    seen, remark = levels(path), decode(path, ClipSpec(frames=20, size=8)).remark
    assert seen[:8] == [*range(7), 6] and np.abs(np.subtract(seen[8:], range(8, 20))).max() <= 2
    assert remark == "damaged: what is missing was passed over (packets: 1)"
    path.write_bytes(remuxed(data, ".mp4", lambda n, packet: zeroed(packet) if n > 4 else packet))
    with pytest.raises(Exception, match="damaged: 2 of 7 packets cannot be decoded"):
        levels(path)


@pytest.mark.parametrize(
    ("transfer", "told"), [("SMPTE2084", "PQ colours"), ("ARIB_STD_B67", "HLG colours"), ("BT709", "")]
)
def test_a_high_dynamic_range_is_told(transfer, told, tmp_path):
    path = videos.write(tmp_path / "a.mp4", color_trc=ColorTrc[transfer])
    remark = decode(path, ClipSpec(frames=4, size=8)).remark
    assert remark.startswith(told) and bool(remark) == bool(told)
    wide = videos.write(tmp_path / "b.mp4", color_primaries=ColorPrimaries.BT2020)
    assert decode(wide, ClipSpec(frames=4, size=8)).remark.startswith("BT.2020 colours")


@pytest.mark.parametrize(
    ("coded", "named", "height"),
    [
        (Colorspace.ITU601, None, 64),
        (Colorspace.ITU601, Colorspace.ITU601, 720),
        (Colorspace.ITU709, Colorspace.ITU709, 64),
        (Colorspace.ITU709, None, 720),
    ],
)
@pytest.mark.parametrize("full", [False, True])
def test_colours_come_back(coded, named, height, full, tmp_path):
    film = np.full((2, height, 64, 3), (208, 20, 0), np.uint8)
    span = ColorRange.JPEG if full else ColorRange.MPEG
    tags = {"color_range": span} | ({"colorspace": named} if named else {})
    path = tmp_path / "a.mp4"
    path.write_bytes(
        videos.encode(film, ".mp4", coded={"dst_colorspace": coded, "dst_color_range": span}, **tags)
    )
    clip = decode(path, ClipSpec(frames=2, size=1)).clips[0]
    np.testing.assert_allclose(clip[0, 0, 0], (208, 20, 0), atol=4)


def test_an_interlaced_film_has_no_combs(tmp_path):
    film = np.zeros((8, 64, 64, 3), np.uint8)
    film[:, ::2, 8:24] = 255  # a field
    film[:, 1::2, 40:56] = 255  # the other, later one
    path = tmp_path / "a.mp4"
    path.write_bytes(videos.encode(film, ".mp4", options={"x264-params": "interlaced=1", "crf": "5"}))
    clips = decode(path, ClipSpec(frames=8, size=64, channels=1)).clips
    rows = clips[0].astype(int)
    assert np.abs(rows[:, ::2] - rows[:, 1::2]).mean() < 8 and rows.std() > 80


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv", ".gif", ".webp", ".apng"])
def test_the_last_frame_is_seen_as_long_as_the_file_says(ending, tmp_path):
    path = tmp_path / f"a{ending}"
    if ending in (".gif", ".webp", ".apng"):
        path.write_bytes(videos.encode(brightening(3), ending, duration=[100, 100, 700]))
    else:

        def lasting(number, packet):
            packet.duration = packet.duration * (7 if number == 2 else 1)
            return packet

        data = videos.encode(brightening(3), ".mp4", codec="libx264", max_b_frames=0)
        path.write_bytes(remuxed(data, ending, lasting))
    assert levels(path, frames=9) == [0, 1, *[2] * 7]
