"""The input pipeline (Grain): from a random-access source of captioned clips to batches of arrays.

The order is a function of the seed alone, so the position is one number: save `get_state()` (plain
JSON, or `grain.checkpoint.CheckpointSave` with Orbax) and `set_state` continues with the next clip.
"""

import pathlib
from collections.abc import Sequence

import grain
import jax
import numpy as np

from t2v_jax.data.caption_table import caption_table
from t2v_jax.data.draws import Draws
from t2v_jax.data.hard_negatives import HardNegatives
from t2v_jax.data.source import ClipSource, read_batch
from t2v_jax.errors import UsageError
from t2v_jax.text.language import Captions, Language


def clip_batches(
    source: ClipSource,
    language: Language,
    batch_size: int,
    *,
    seed: int = 0,
    process_index: int | None = None,
    process_count: int | None = None,
    threads: int = 1,
    table: pathlib.Path | None = None,
) -> grain.DatasetIterator:
    """Endless batches of this process, every epoch in a new order, the same for the same seed.

    A batch is a dict of
      clip      uint8 [batch_size / process_count, frames, height, width, channels]
      captions  Captions, arrays [batch_size / process_count, tokens], as many as the longest caption has
      negatives  Captions like them, for each NEGATIVES_PER_CLIP of other classes if there are any (see
      `negatives`),
                arrays [NEGATIVES_PER_CLIP * batch_size / process_count, tokens], those of a clip side by side
      negative_classes  int32 [NEGATIVES_PER_CLIP * batch_size / process_count]
    and each label of the source as int32 [batch_size / process_count]. `batch_size` counts all
    processes (default: those of JAX), which share out each global batch, one stretch of it after the other:
    together they see the same batches, whatever their number. Clips of one class that the source has
    side by side stay so. `threads` prepare batches ahead (0: on demand). `table` is a file for the encoded
    captions, which the first process writes. Raises UsageError for a batch size that the processes cannot
    share and for a caption that `language` cannot encode.
    """
    process_index = jax.process_index() if process_index is None else process_index
    process_count = jax.process_count() if process_count is None else process_count
    clips_per_caption = getattr(source, "clips_per_caption", 1)
    if batch_size < 1 or batch_size % (process_count * clips_per_caption):
        times = f" times clips_per_caption, {clips_per_caption}" if clips_per_caption > 1 else ""
        raise UsageError(
            f"batch_size={batch_size}: expected a positive multiple of the number of processes, "
            f"{process_count}{times}"
        )
    groups = batch_size // clips_per_caption
    share = slice(groups * process_index // process_count, groups * (process_index + 1) // process_count)
    encoded = caption_table(list(source.captions()), language, table, write=process_index == 0)
    places = grain.MapDataset.range(len(source) // clips_per_caption).seed(seed).shuffle().repeat()
    places = places.map_with_index(lambda position, group: (position, group))
    # Threads, not Grain's worker processes: painting and copying release the GIL, a position stays
    # independent of their number, and nothing has to be pickled or guarded by __main__.
    return iter(
        places.batch(
            groups, drop_remainder=True, batch_fn=_Batch(source, clips_per_caption, encoded, seed, share)
        ).to_iter_dataset(grain.ReadOptions(num_threads=threads, prefetch_buffer_size=2 * threads))
    )


class _Batch:
    """Makes its share of a batch of groups of `clips_per_caption` clips, (position in the order, number)
    each.
    """

    def __init__(
        self, source: ClipSource, clips_per_caption: int, encoded: Captions, seed: int, share: slice
    ):
        captions = source.captions()
        self._source, self._alike, self._seed, self._share = source, clips_per_caption, seed, share
        self._rows = {caption: row for row, caption in enumerate(captions)}
        self._classes = np.array(list(captions.values()), np.int32)
        self._encoded = encoded
        self._rivals = HardNegatives(captions)

    def __call__(self, groups: Sequence[tuple[int, int]]) -> dict:
        positions, indices = map(self._clips, zip(*groups[self._share]))
        batch = read_batch(self._source, indices)
        clips, captions = batch.pop("clip"), batch.pop("caption")
        rows = np.array([self._rows[caption] for caption in captions])
        negatives = self._rivals(rows, batch["caption_class"], Draws([self._seed], positions)).ravel()
        return {
            "clip": clips,
            "captions": self._captions(rows),
            "negatives": self._captions(negatives),
            "negative_classes": self._classes[negatives],
            **{name: labels.astype(np.int32) for name, labels in batch.items()},
        }

    def _clips(self, groups: Sequence[int]) -> np.ndarray:
        return (self._alike * np.array(groups)[:, None] + np.arange(self._alike)).ravel()

    def _captions(self, rows: np.ndarray) -> Captions:
        return Captions(*(field[rows] for field in self._encoded))
