"""Where clips come from: what a source has to offer, and the one that a configuration names."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from t2v_jax import registry
from t2v_jax.errors import UsageError


class ClipSource(Protocol):
    """Captioned clips: a drawn world, prepared videos, a data set of TFDS, or a world of one's own.

    `source[i]` is a dict of clip uint8 [frames, height, width, channels], caption str, caption_class int
    (equal for captions that say the same) and any int labels; `captions()` is a dict of every distinct
    caption, sorted, with its class. A world of one's own may leave out the class, and list its captions: each
    caption is then a class of its own. It is built with those of these arguments that it names: split (train
    or test; drawn worlds also have held_out), seed, and the fields of config.data.

    A source with a number `clips_per_caption` has so many clips of one class side by side. One with a method
    `batch(indices)` reads n clips at once: the same dict, of clip [n, ...], a list of captions, and all else
    as int [n].
    """

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> dict: ...

    def captions(self) -> Mapping[str, int]: ...


class _WithClasses:
    """A source whose captions are a plain list: each of them is a class of its own."""

    def __init__(self, source):
        self._source = source
        self._classes = {caption: place for place, caption in enumerate(sorted(set(source.captions())))}

    def __len__(self):
        return len(self._source)

    def __getitem__(self, index):
        element = dict(self._source[index])
        return element | {"caption_class": self._classes[element["caption"]]}

    def captions(self):
        return self._classes


def make_source(config, split: str = "train") -> ClipSource:
    """The clips of `config.data.world` in a split: train, test or, in a drawn world, held_out.

    Raises UsageError for a world that cannot be imported or lacks a part of `ClipSource`.
    """
    name, data = config.data.world, config.data
    world = registry.resolve("world", name)
    settings = {**data, "directory": data.directory or None, "seed": config.seed, "split": split}
    taken = [parameter for parameter in inspect.signature(world).parameters if parameter in settings]
    arguments = {parameter: settings[parameter] for parameter in taken}
    if name in registry.names("world"):
        return world(**arguments)
    try:
        return _checked(name, world(**arguments))
    except TypeError as error:
        raise UsageError(f"config.data.world={name} cannot be built: {error}; {_EXPECTED}") from error


_EXPECTED = "expected __len__, __getitem__ -> {clip, caption} and captions(); see docs/extending.md"


def _checked(name, source):
    missing = [part for part in ("__len__", "__getitem__", "captions") if not hasattr(source, part)]
    if missing:
        raise UsageError(f"config.data.world={name} has no {' and no '.join(missing)}; {_EXPECTED}")
    element, captions = source[0], source.captions()
    missing = [part for part in ("clip", "caption") if part not in element]
    if missing or np.ndim(element["clip"]) != 4 or element["clip"].dtype != np.uint8:
        raise UsageError(
            f"config.data.world={name} gives no clip uint8 [frames, height, width, channels]; {_EXPECTED}"
        )
    if element["caption"] not in captions:
        raise UsageError(
            f"config.data.world={name} has a clip captioned {element['caption']!r}, which captions() lacks"
        )
    return source if isinstance(captions, Mapping) else _WithClasses(source)


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


def drawn_worlds() -> dict[str, type]:
    """The drawn worlds that ship, by name."""
    drawn = [name for name, path in registry.CHOICES["world"].items() if ".worlds." in path]
    return {name: registry.resolve("world", name) for name in drawn}
