"""What of a folder of videos is used, and what is left out and why."""

import collections
import dataclasses
import os
from typing import NamedTuple

from t2v_jax.data.videos.decode import ClipSpec
from t2v_jax.data.videos.folder import SPLITS, split_of
from t2v_jax.errors import UsageError, printable
from t2v_jax.text.words import fold_case, is_punctuation, split_words

_WORDS_SHOWN, _SIZES_SHOWN = 40, 10


class Used(NamedTuple):
    """A file that gave `clips` clips; width and height in pixels, as filmed; what is not as it should be."""

    name: str
    captions: tuple[str, ...]
    clips: int
    width: int
    height: int
    remark: str = ""


@dataclasses.dataclass(frozen=True)
class Report:
    """The files of a directory that are used, and name -> reason of those left out; `str` is its text."""

    directory: str | os.PathLike
    spec: ClipSpec
    used: list[Used]
    left_out: dict[str, str]
    test_share: float

    def split(self, file: Used) -> str:
        """The split that a file is in."""
        return split_of(file.name, self.test_share)

    def clips(self, *splits: str) -> int:
        """Number of clips in some splits."""
        return sum(file.clips for file in self.used if self.split(file) in splits)

    def words(self) -> collections.Counter:
        """Each word in lower case -> how often the captions of the files say it."""
        captions = [split_words(caption) for file in self.used for caption in file.captions]
        words = (fold_case(word) for words in captions for word in words if not is_punctuation(word))
        return collections.Counter(words)

    def check(self) -> None:
        """Raises UsageError where nothing can be used."""
        if not self.used:
            name, reason = min(self.left_out.items())
            raise UsageError(
                f"nothing usable in {self.directory}: {len(self.left_out)} left out, as {printable(name)} "
                f"({reason}); fix them or name a folder of captioned videos"
            )

    def __str__(self) -> str:
        left_out = _listed("left out", self.left_out)
        remarks = _listed("used, but", {file.name: file.remark for file in self.used if file.remark})
        return "\n".join(
            [
                f"files     {len(self.used)} used, {len(self.left_out)} left out",
                f"clips     {self._clips()}",
                f"sizes     {self._sizes()}",
                f"captions  {self._captions()}",
                f"words     {self._words()}",
                *remarks,
                *left_out,
            ]
        )

    def _clips(self) -> str:
        spec, number = self.spec, self.clips(*SPLITS)
        each = ", ".join(f"{self.clips(split)} {split}" for split in SPLITS)
        seconds = spec.frames / spec.fps
        shape = f"{spec.frames} frames of {spec.size} x {spec.size} x {spec.channels}"
        return f"{number} ({each}), {shape}, {seconds:g} s each, {number * seconds:g} s in all"

    def _sizes(self) -> str:
        sizes = collections.Counter(f"{file.width} x {file.height}" for file in self.used)
        return _most_common(sizes, _SIZES_SHOWN)

    def _captions(self) -> str:
        distinct = {caption for file in self.used for caption in file.captions}
        longest = max((len(split_words(caption)) for caption in distinct), default=0)
        return f"{len(distinct)} distinct, the longest of {longest} words"

    def _words(self) -> str:
        words = self.words()
        return f"{len(words)} distinct: {_most_common(words, _WORDS_SHOWN)}"


def _most_common(counts: collections.Counter, shown: int) -> str:
    shown_values = [f"{value} ({count})" for value, count in counts.most_common(shown)]
    return ", ".join(shown_values) + (f" and {len(counts) - shown} more" if len(counts) > shown else "")


def _listed(title: str, by_file: dict[str, str]) -> list[str]:
    """Lines on files, below a title, if there are any."""
    lines = [printable(f"  {name}: {what}") for name, what in sorted(by_file.items())]
    return [title, *lines] if lines else []
