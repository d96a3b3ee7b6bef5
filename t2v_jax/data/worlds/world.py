"""What all captioned worlds share: the draw of a clip's content and wording, and the held-out split."""

import dataclasses
import itertools
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from t2v_jax.data.draws import Draws
from t2v_jax.data.source import only_element
from t2v_jax.errors import UsageError

SPLITS = ("train", "test", "held_out")


@dataclasses.dataclass(eq=False)
class World:
    """Random-access source of `clips` captioned clips, each a function of seed, split and index alone.

    `world[i]` is a dict of
      clip     uint8 [frames, size, size, channels], 0 = background
      caption  str
      caption_class  int, equal for captions that ask for the same in other words, in every split
      and under the name of each attribute the index of its value, int.

    A combination is a tuple of such indices; `clips_per_caption` clips side by side show the same one. The
    splits train and test show the same combinations, held_out shows those that neither has (Sync-DRAW, arXiv
    1611.10314). A concrete world states its attributes (name -> names of the values), the sentences that name
    them all, which share of the combinations it holds out, and `_render`. Raises UsageError for a value out
    of range.
    """

    split: str = "train"
    clips: int = 12_000
    _: dataclasses.KW_ONLY
    frames: int = 16
    size: int = 64
    seed: int = 0
    clips_per_caption: int = 1

    attributes: ClassVar[dict[str, tuple[str, ...]]]
    temporal: ClassVar[tuple[str, ...]] = (
        "motion",
        "direction",
    )  # kinds of attribute that no single frame shows
    templates: ClassVar[tuple[str, ...]]
    holds_out_one_in: ClassVar[int]

    def __post_init__(self):
        self._check()
        self._counts = tuple(map(len, self.attributes.values()))
        everything = list(itertools.product(*map(range, self._counts)))
        self._classes = np.array([self.caption_class(combination) for combination in everything])
        self._captions = np.array([self._wordings(combination) for combination in everything], object)
        self.combinations = [
            combination
            for combination in everything
            if self._is_possible(combination) and self._is_held_out(combination) == (self.split == "held_out")
        ]

    def _check(self) -> None:
        if self.split not in SPLITS:
            raise UsageError(f"unknown split {self.split!r}: expected one of {', '.join(SPLITS)}")
        if self.clips < 1 or self.frames < 1:
            raise UsageError(f"clips={self.clips}, frames={self.frames}: expected at least 1 of each")
        if not 1 <= self.clips_per_caption <= self.clips:
            raise UsageError(
                f"clips_per_caption={self.clips_per_caption}: expected 1 to {self.clips}, the number of clips"
            )
        if self.seed < 0:
            raise UsageError(f"seed={self.seed}: expected 0 or more")

    def __len__(self) -> int:
        return self.clips

    def __getitem__(self, index: int) -> dict:
        return only_element(self.batch([range(self.clips)[index]]))

    def batch(self, indices: Sequence[int]) -> dict:
        """The elements of n indices from 0 at once: clips [n, ...], a list of captions, all else int [n]."""
        indices = np.asarray(indices)
        groups = self._draws(0, indices - indices % self.clips_per_caption)
        draws = self._draws(1, indices)
        chosen = groups.integers(len(self.combinations))
        combinations = np.array([self.combinations[place] for place in chosen])
        templates = draws.integers(len(self.templates))
        numbers = np.ravel_multi_index(combinations.T, self._counts)
        return {
            "clip": self._render(combinations, draws),
            "caption": self._captions[numbers, templates].tolist(),
            "caption_class": self._classes[numbers],
            **dict(zip(self.attributes, combinations.T)),
        }

    def _draws(self, purpose, indices) -> Draws:
        return Draws([self.seed, SPLITS.index(self.split), purpose], indices)

    def caption(self, combination: tuple[int, ...], template: int) -> str:
        """The sentence that names the values of a combination, by the template of that index."""
        named = zip(self.attributes.items(), combination)
        return self.templates[template].format(**{name: values[i] for (name, values), i in named})

    def _wordings(self, combination) -> list[str]:
        return [self.caption(combination, template) for template in range(len(self.templates))]

    def captions(self) -> dict[str, int]:
        """Every distinct caption of the split, sorted, with its class."""
        pairs = itertools.product(self.combinations, range(len(self.templates)))
        return dict(sorted((self.caption(*pair), self.caption_class(pair[0])) for pair in pairs))

    def caption_class(self, combination: tuple[int, ...]) -> int:
        """The number of a combination in the product of all attributes."""
        return int(np.ravel_multi_index(combination, self._counts))

    def _is_possible(self, combination) -> bool:
        return True

    def _is_held_out(self, combination) -> bool:
        # The sum of the indices: each value is trained with some values of every other attribute.
        return sum(combination) % self.holds_out_one_in == self.holds_out_one_in - 1

    def _render(self, combinations: np.ndarray, draws: Draws) -> np.ndarray:
        """Clips [n, frames, size, size, channels] of combinations int [n, attributes]."""
        raise NotImplementedError
