"""Rivals: to a clip's caption another one that asks for something else in nearly the same words."""

from collections.abc import Mapping

import numpy as np

from t2v_jax.text.words import fold_case, split_words

RIVALS = 4  # of each clip
CANDIDATES = 256  # captions that are looked at for each clip


class Rivals:
    """Adds to an element with a caption str and a meaning int RIVALS rivals, str, and their rival_meanings.

    Among captions drawn at random the fewer words differ, the likelier one is a rival, by a factor e a
    word: those that differ in one thing alone are rare in a batch, and they are what teaches to look
    closely. Where nothing means anything else the rivals are the caption itself. `captions`: each with its
    meaning.
    """

    def __init__(self, captions: Mapping[str, int]):
        self._captions = list(captions)
        self._meanings = np.array(list(captions.values()))
        self._words = {caption: frozenset(map(fold_case, split_words(caption))) for caption in captions}

    def __call__(self, element: dict, rng: np.random.Generator) -> dict:
        caption = element["caption"]
        others = np.flatnonzero(self._meanings != element["meaning"])
        if others.size > CANDIDATES:
            others = rng.choice(others, CANDIDATES, replace=False)
        if others.size:
            chosen = rng.choice(others, RIVALS, p=self._likelihoods(caption, others))
            rivals, meanings = [self._captions[index] for index in chosen], self._meanings[chosen].tolist()
        else:
            rivals, meanings = [caption] * RIVALS, [element["meaning"]] * RIVALS
        return element | {"rivals": rivals, "rival_meanings": meanings}

    def _likelihoods(self, caption, others):
        words = self._words[caption]
        differing = np.array([len(words ^ self._words[self._captions[other]]) for other in others])
        weights = np.exp(differing.min() - differing)
        return weights / weights.sum()
