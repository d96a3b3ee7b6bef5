"""Rivals: to a clip's caption another one that asks for something else in nearly the same words."""

from collections.abc import Mapping

import numpy as np

from t2v_jax.text.words import fold_case, split_words

CANDIDATES = 256  # captions that are looked at for each clip


class Rivals:
    """Adds to an element with a caption str and a meaning int a rival str and a rival_meaning int.

    Among captions drawn at random the fewer words differ, the likelier one is the rival, by a factor e a
    word: those that differ in one thing alone are rare in a batch, and they are what teaches to look
    closely. Where nothing means anything else the rival is the caption itself. `captions`: each with its
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
        rival, meaning = self._draw(caption, others, rng) if others.size else (caption, element["meaning"])
        return element | {"rival": rival, "rival_meaning": meaning}

    def _draw(self, caption, others, rng):
        words = self._words[caption]
        differing = np.array([len(words ^ self._words[self._captions[other]]) for other in others])
        weights = np.exp(differing.min() - differing)
        chosen = rng.choice(others, p=weights / weights.sum())
        return self._captions[chosen], int(self._meanings[chosen])
