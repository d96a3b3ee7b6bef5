"""Does a clip fit its own caption best among many? Asked of a matcher."""

from collections.abc import Sequence

import numpy as np

from t2v_jax.evaluation.matcher import Matcher

AMONG = 64  # captions, if there are as many


class Retrieval:
    """Captions to choose among, dict caption -> class, as a `ClipSource` has them."""

    def __init__(self, matcher: Matcher, captions: dict[str, int]):
        self._rows = {caption: row for row, caption in enumerate(captions)}
        self._classes = np.array(list(captions.values()))
        self._vectors = matcher.captions(list(captions))

    @property
    def among(self) -> int:
        """Captions that a clip chooses among: its own, and others of other classes."""
        return min(AMONG, len(np.unique(self._classes)))

    def __call__(self, vectors: np.ndarray, captions: Sequence[str], seed: int) -> np.ndarray:
        """Whether clips' vectors [n, WIDTH] fit their own captions best: bool [n].

        The others are drawn again for each clip; with equal places there is no winner.
        """
        rng, scores = np.random.default_rng(seed), vectors @ self._vectors.T
        own = [self._rows[caption] for caption in captions]
        return np.array([self._is_right(row, place, rng) for row, place in zip(scores, own)])

    def _is_right(self, scores, own, rng) -> bool:
        others = np.flatnonzero(self._classes != self._classes[own])
        drawn = rng.choice(others, min(AMONG - 1, len(others)), replace=False)
        return bool(scores[own] > scores[drawn].max(initial=-np.inf))
