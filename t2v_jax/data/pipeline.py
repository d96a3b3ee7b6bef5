"""The input pipeline (Grain): from a random-access source of captioned clips to batches of arrays.

The order is a function of the seed alone, so the position is one number: save `get_state()` (plain
JSON, or `grain.checkpoint.CheckpointSave` with Orbax) and `set_state` continues with the next clip.
"""

import itertools
from collections.abc import Iterable, Sequence
from typing import Protocol

import grain
import jax
import numpy as np

from t2v_jax.data.rivals import Rivals
from t2v_jax.errors import UsageError
from t2v_jax.text.language import Captions, Language


class ClipSource(Protocol):
    """Captioned clips: a `World`, a clip folder, a TFDS data source with captions.

    `source[i]` is a dict of clip uint8 [frames, height, width, channels], caption str, meaning int (equal
    for captions that say the same) and any number of int labels under names of their own; `captions()`
    is a dict of every distinct caption, sorted, with its meaning. A source with a number `alike` has so many
    clips of one meaning side by side.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> dict: ...

    def captions(self) -> dict[str, int]: ...


def clip_batches(
    source: ClipSource,
    language: Language,
    batch_size: int,
    *,
    seed: int = 0,
    process_index: int | None = None,
    process_count: int | None = None,
    threads: int = 1,
) -> grain.DatasetIterator:
    """Endless batches of this process, every epoch in a new order, the same for the same seed.

    A batch is a dict of
      clip      uint8 [batch_size / process_count, frames, height, width, channels]
      captions  Captions, arrays [batch_size / process_count, max_tokens]
      rivals    Captions like them, for each RIVALS of other meanings as far as there are any (see `rivals`),
                arrays [RIVALS * batch_size / process_count, max_tokens], those of a clip side by side
      rival_meanings  int32 [RIVALS * batch_size / process_count]
    and each label of the source as int32 [batch_size / process_count]. `batch_size` counts all
    processes (default: those of JAX), which share out each global batch: together they see every
    clip once an epoch, whatever their number. Clips of one meaning that the source has side by side stay so.
    `threads` prepare batches ahead (0: on demand). Raises UsageError for a batch size that the processes
    cannot share and for a caption that `language` cannot encode.
    """
    process_index = jax.process_index() if process_index is None else process_index
    process_count = jax.process_count() if process_count is None else process_count
    groups = _Groups(source)
    if batch_size < 1 or batch_size % (process_count * groups.alike):
        alike = f" times that of clips alike, {groups.alike}" if groups.alike > 1 else ""
        raise UsageError(
            f"batch_size={batch_size}: expected a positive multiple of the number of processes, "
            f"{process_count}{alike}"
        )
    captions = source.captions()
    rivals = Rivals(captions)
    clips = grain.MapDataset.source(groups).seed(seed).shuffle().repeat()
    clips = clips.random_map(lambda group, rng: [rivals(element, rng) for element in group])
    # Threads, not Grain's worker processes: decoding and copying release the GIL, a position stays
    # independent of their number, and nothing has to be pickled or guarded by __main__.
    return iter(
        clips[process_index::process_count]
        .batch(
            batch_size // process_count // groups.alike,
            drop_remainder=True,
            batch_fn=_Collate(captions, language),
        )
        .to_iter_dataset(grain.ReadOptions(num_threads=threads, prefetch_buffer_size=2 * threads))
    )


class _Groups:
    """A source's clips, `alike` of them at a time, so that no shuffling parts them."""

    def __init__(self, source: ClipSource):
        self._source, self.alike = source, getattr(source, "alike", 1)

    def __len__(self) -> int:
        return len(self._source) // self.alike

    def __getitem__(self, index: int) -> list[dict]:
        first = index * self.alike
        return [self._source[place] for place in range(first, first + self.alike)]


class _Collate:
    """Makes a batch of groups of elements; each distinct caption has been encoded once, up front."""

    def __init__(self, captions: Iterable[str], language: Language):
        self._rows = {caption: row for row, caption in enumerate(captions)}
        self._encoded = language.encode(captions)

    def __call__(self, groups: Sequence[list[dict]]) -> dict:
        elements = list(itertools.chain.from_iterable(groups))
        labels = elements[0].keys() - {"clip", "caption", "rivals", "rival_meanings"}
        return {
            "clip": np.stack([element["clip"] for element in elements]),
            "captions": self._captions(element["caption"] for element in elements),
            "rivals": self._captions(rival for element in elements for rival in element["rivals"]),
            "rival_meanings": np.concatenate(
                [element["rival_meanings"] for element in elements], dtype=np.int32
            ),
            **{name: np.array([element[name] for element in elements], np.int32) for name in sorted(labels)},
        }

    def _captions(self, captions: Iterable[str]) -> Captions:
        rows = [self._rows[caption] for caption in captions]
        return Captions(*(field[rows] for field in self._encoded))
