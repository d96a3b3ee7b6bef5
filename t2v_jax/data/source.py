"""Where clips come from: what a source has to offer, and how many of its clips are read at once."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np


class ClipSource(Protocol):
    """Captioned clips: a `World`, a clip folder, a TFDS data source with captions.

    `source[i]` is a dict of clip uint8 [frames, height, width, channels], caption str, meaning int (equal
    for captions that say the same) and any number of int labels under names of their own; `captions()`
    is a dict of every distinct caption, sorted, with its meaning. A source with a number `alike` has so many
    clips of one meaning side by side. One with a method `batch(indices)` reads n clips at once: the same
    dict, of clip [n, ...], a list of captions, and all else as int [n].
    """

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> dict: ...

    def captions(self) -> dict[str, int]: ...


def read_batch(source: ClipSource, indices: Sequence[int]) -> dict:
    """The clips of some indices, as `batch` gives them, of any source."""
    if hasattr(source, "batch"):
        return source.batch(indices)
    elements = [source[int(index)] for index in indices]
    columns = {name: [element[name] for element in elements] for name in elements[0]}
    gather = {"clip": np.stack, "caption": list}
    return {name: gather.get(name, np.array)(column) for name, column in columns.items()}


def only_element(batch: dict) -> dict:
    """The element of a batch of one."""
    (caption,), (clip,) = batch["caption"], batch["clip"]
    labels = {name: int(column[0]) for name, column in batch.items() if name not in ("clip", "caption")}
    return {"clip": clip, "caption": caption, **labels}
