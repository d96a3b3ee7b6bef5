"""Contact sheets with the captions beside their rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2v_jax.inference.captioned_sheet import MARGIN, WIDEST, captioned_sheet
from t2v_jax.inference.lettering import width, wrapped
from t2v_jax.inference.video import contact_sheet

LONG = "a woman with red hair in a teal shirt and blue pants casts a spell to the left " * 3


def clips(number, side=64, channels=3):
    return np.random.default_rng(0).integers(0, 256, (number, 4, side, side, channels), np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [16, 64])
def test_the_caption_of_each_row_stands_beside_it(side, channels):
    videos = clips(3, side, channels)
    sheet = captioned_sheet(videos, ["a", LONG, "the box moves"])
    plain = contact_sheet(videos)
    left = sheet.shape[1] - plain.shape[1]
    np.testing.assert_array_equal(sheet[:, left:], np.broadcast_to(plain, (*plain.shape[:2], 3)))
    assert 0 < left <= WIDEST + 2 * MARGIN
    ink = [(sheet[row * (side + 1) :][: side + 1, :left] < 128).sum() for row in range(3)]
    assert 0 < ink[0] < ink[2] < ink[1]


@pytest.mark.parametrize("caption", ["", " ", "w" * 500, "日本語 🦆"])
def test_a_caption_that_cannot_be_drawn_in_full_spoils_no_sheet(caption):
    videos = clips(1)
    sheet = captioned_sheet(videos, [caption])
    assert sheet.dtype == np.uint8 and sheet.shape[0] == contact_sheet(videos).shape[0]


@settings(max_examples=50)
@given(
    text=st.text(st.characters(codec="latin-1", exclude_categories=["C"])),
    room=st.integers(20, 300),
    most=st.integers(1, 5),
)
def test_lines_fit_their_room_and_keep_the_words_in_order(text, room, most):
    lines = wrapped(text, 12, room, most)
    assert len(lines) <= most and all(width(line, 12) <= room for line in lines)
    if all("…" not in line for line in lines):
        assert " ".join(lines) == " ".join(text.split())
