"""Where clips come from: what a source has to offer, and the one that a configuration names."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from t2v_jax import registry
from t2v_jax.errors import UsageError, describe


class ClipSource(Protocol):
    """Captioned clips: a drawn world, prepared videos, a data set of TFDS, or a world of one's own.

    `source[i]` is a dict of clip uint8 [frames, height, width, channels], caption str, caption_class int
    (equal for captions that say the same) and any int labels; `captions()` is a dict of every distinct
    caption, sorted, with its class. It is built with those of these arguments that it names: split (train or
    test; drawn worlds also have held_out), seed, and the fields of config.data.

    A source with a number `clips_per_caption` has so many clips of one class side by side. One with a method
    `batch(indices)` reads n clips at once: the same dict, of clip [n, ...], a list of captions, and all else
    as int [n].

    A world of one's own needs less: elements of a clip and a caption, and captions() a list. Each caption is
    then a class of its own.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> dict: ...

    def captions(self) -> Mapping[str, int]: ...


_EXPECTED = "__len__, __getitem__ -> {clip, caption} and captions(); see docs/extending.md"


class _OwnWorld:
    """A world of one's own as a `ClipSource`: each element is checked, each caption has a class."""

    def __init__(self, world, data):
        self._where, self._world = f"config.data.world={data.world}", world
        self._shape = data.frames, data.size, data.size, data.channels
        missing = [part for part in ("__len__", "__getitem__", "captions") if not hasattr(world, part)]
        self._require(not missing, f"has no {' and no '.join(missing)}", _EXPECTED)
        captions = self._call(world.captions)
        if not isinstance(captions, Mapping):
            captions = {caption: place for place, caption in enumerate(sorted(set(captions)))}
        self._captions = dict(sorted(captions.items()))
        self._require(len(self) and captions, f"has {len(self)} clips of {len(captions)} captions", "some")
        self.clips_per_caption = getattr(world, "clips_per_caption", 1)
        fits = data.clips_per_caption in (1, self.clips_per_caption)
        found = f"has clips_per_caption={self.clips_per_caption}"
        self._require(fits, found, f"that of config.data, {data.clips_per_caption}, which may be 1")

    def __len__(self):
        return self._call(lambda: len(self._world))

    def __getitem__(self, index):
        element = self._call(lambda: self._world[int(index)])
        missing = [part for part in ("clip", "caption") if part not in element]
        self._require(not missing, f"gives no {' and no '.join(missing)}", _EXPECTED)
        clip, caption = np.asarray(element["clip"]), element["caption"]
        expected = f"uint8 [frames, size, size, channels] = {list(self._shape)}, as config.data says"
        fits = clip.dtype == np.uint8 and clip.shape == self._shape
        self._require(fits, f"gives a clip of {clip.dtype} {list(clip.shape)}", expected)
        self._require(caption in self._captions, f"has a clip of {caption!r}", "only what captions() lists")
        return {"clip": clip, "caption": caption, "caption_class": self._captions[caption]}

    def captions(self):
        return self._captions

    def _call(self, function):
        try:
            return function()
        # Code of others may raise anything.
        except Exception as error:
            raise UsageError(f"{self._where} fails: {describe(error)}") from error

    def _require(self, holds, found, expected):
        if not holds:
            raise UsageError(f"{self._where} {found}; expected {expected}")


def make_source(config, split: str = "train") -> ClipSource:
    """The clips of `config.data.world` in a split: train, test or, in a drawn world, held_out.

    Raises UsageError for a world that cannot be imported or lacks a part of `ClipSource`.
    """
    name, data = config.data.world, config.data
    world = registry.resolve("world", name)
    settings = {**data, "directory": data.directory or None, "seed": config.seed, "split": split}
    if name in registry.names("world"):
        return world(**_taken(world, settings))
    try:
        arguments = _taken(world, settings)
        source = world(**arguments)
    # Code of others may raise anything.
    except Exception as error:
        reason = f"cannot be built: {describe(error)}; expected {_EXPECTED}"
        raise UsageError(f"config.data.world={name} {reason}") from error
    if split != "train" and "split" not in arguments:
        raise UsageError(f"config.data.world={name} has no split {split}; expected a parameter named split")
    return _OwnWorld(source, data)


def _taken(world, settings):
    """The settings that are parameters of a world."""
    return {name: settings[name] for name in inspect.signature(world).parameters if name in settings}


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
