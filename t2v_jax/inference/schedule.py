"""A schedule of sentences, each from some frame on: "0: a red ball rises | 24: it falls"."""

import itertools
import re

import numpy as np

from t2v_jax.errors import UsageError
from t2v_jax.inference.stream import Stream

_ENTRY = re.compile(r"\s*(\d{1,9})\s*:(.*)", re.DOTALL)


def parse_schedule(text: str) -> dict[int, str]:
    """First frame -> sentence, in order; a text that does not begin with a number and a colon is from 0 on.

    Raises UsageError for an entry without a frame, and frames that do not rise from 0.
    """
    if not _ENTRY.match(text):
        return {0: text}
    entries = [(_ENTRY.match(entry), entry) for entry in text.split("|")]
    for match, entry in entries:
        if not match:
            raise UsageError(
                f"{entry.strip()!r} has no frame to begin at; expected FRAME: SENTENCE, as 24: ..."
            )
    starts = [int(match[1]) for match, _ in entries]
    if starts[0] != 0 or any(start >= then for start, then in itertools.pairwise(starts)):
        raise UsageError(f"the schedule has the frames {starts}; expected 0, then higher ones")
    return {start: match[2].strip() for start, (match, _) in zip(starts, entries)}


def paint_schedule(stream: Stream, schedule: dict[int, str], frames: int) -> np.ndarray:
    """A video whose sentence changes at these frames: uint8 [frames, height, width, channels].

    stream: a new one, of the first sentence. Errors and warnings as `generate`, and UsageError where a
    sentence would begin after the last frame.
    """
    if max(schedule) >= frames:
        raise UsageError(
            f"a sentence begins at frame {max(schedule)}; expected frames above that, not {frames}"
        )
    clip = []
    for frame in range(frames):
        if frame and frame in schedule:
            stream.prompt = schedule[frame]
        clip.append(np.asarray(next(stream)))
    return np.stack(clip)
