"""Hard negatives: captions that ask for something else than a clip's in nearly the same words."""

import functools
from collections.abc import Iterable, Mapping

import numpy as np

from t2v_jax.data.draws import Draws
from t2v_jax.text.words import fold_case, split_words

NEGATIVES_PER_CLIP = 4  # of each clip
CANDIDATES = 256  # captions that are looked at for each clip


class HardNegatives:
    """Chooses NEGATIVES_PER_CLIP captions for each clip of a batch. `captions`: each with its class.

    Among captions drawn at random the fewer words differ, the likelier one is chosen, by a factor e a
    word: those that differ in one thing alone are rare in a batch, and they are what teaches to look
    closely. Where all captions have one class, the caption itself is chosen.
    """

    def __init__(self, captions: Mapping[str, int]):
        caption_classes = np.array(list(captions.values()))
        self._by_class = np.argsort(caption_classes, kind="stable")
        self._classes = caption_classes[self._by_class]
        self._words = _word_table(captions)
        self._lengths = np.count_nonzero(self._words, axis=1)
        self._vocabulary = int(self._words.max()) + 1

    def __call__(self, rows: np.ndarray, caption_classes: np.ndarray, draws: Draws) -> np.ndarray:
        """Rows of the chosen captions, int [n, NEGATIVES_PER_CLIP]; `rows` and `caption_classes`
        [n] are the clips'.
        """
        candidates, valid = self._candidates(caption_classes, draws)
        likenesses = np.where(valid, self._likenesses(rows, candidates), -np.inf)
        likenesses[~valid.any(1)] = 0
        weights = np.exp(likenesses - likenesses.max(1, keepdims=True)).cumsum(1)
        aims = np.stack([draws.uniform(0, weights[:, -1]) for _ in range(NEGATIVES_PER_CLIP)], 1)
        chosen = (weights[:, None] <= aims[..., None]).sum(2)
        negatives = np.take_along_axis(candidates, chosen, 1)
        return np.where(valid.any(1, keepdims=True), negatives, rows[:, None])

    def _candidates(self, caption_classes, draws):
        """Rows of captions [n, c], distinct for each clip, and which of them are of another class."""
        first, last = (np.searchsorted(self._classes, caption_classes, side) for side in ("left", "right"))
        total = len(self._classes)
        others = total - (last - first)
        places = np.tile(np.arange(min(CANDIDATES, total)), (len(caption_classes), 1))
        seeds = draws.bits()
        for clip in np.flatnonzero(others > CANDIDATES):
            rng = np.random.Generator(np.random.Philox(key=seeds[clip]))
            places[clip] = rng.choice(others[clip], CANDIDATES, replace=False, shuffle=False)
        # The others' places, numbered past the captions of the same class, which lie side by side.
        places += np.where(places >= first[:, None], (last - first)[:, None], 0)
        return self._by_class[np.minimum(places, total - 1)], places < total

    def _likenesses(self, rows, candidates):
        """[n, c]: minus the number of words that are in one of two captions alone."""
        said = np.zeros((len(rows), self._vocabulary), np.float32)
        np.put_along_axis(said, self._words[rows], 1, 1)
        said[:, 0] = 0
        places = self._words[candidates] + self._vocabulary * np.arange(len(rows))[:, None, None]
        common = said.take(places) @ np.ones(self._words.shape[1], np.float32)
        return 2 * common - self._lengths[candidates] - self._lengths[rows, None]


def _word_table(captions: Iterable[str]) -> np.ndarray:
    """int32 [captions, the most words]: the distinct words of each, by numbers from 1, then zeros."""
    numbers = {}

    @functools.cache
    def numbered(part):
        word = part.rstrip(".!?")
        words = [word] if word.isalnum() else split_words(part)  # which takes a while
        return [numbers.setdefault(fold_case(word), len(numbers) + 1) for word in words]

    words_of = [set().union(*map(numbered, caption.split())) for caption in captions]
    table = np.zeros((len(words_of), max(map(len, words_of))), np.int32)
    for row, words in zip(table, words_of):
        row[: len(words)] = list(words)
    return table
