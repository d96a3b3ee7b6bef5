"""What the matcher says of clips: the right caption among 64, and the right tone among six."""

import numpy as np
from loops import caption

from t2v_jax.data.tfds.animated_emoji import TONES

AMONG = 64


def chosen(scores, right, rng) -> np.ndarray:
    """Whether each clip fits its own caption best, among 63 others drawn from all: bool [n].

    scores [n, m] of all captions, right int [n].
    """
    ranks = []
    for row, own in zip(scores, right):
        others = rng.choice(np.delete(np.arange(len(row)), own), AMONG - 1, replace=False)
        ranks.append(row[own] > row[others].max())
    return np.array(ranks)


def toned(matcher, clips, names, tones) -> np.ndarray:
    """Whether each clip fits its tone best among all six of its emoji: bool [n]."""
    captions = list(dict.fromkeys(caption(name, tone) for name in names for tone in range(len(TONES))))
    places = {text: place for place, text in enumerate(captions)}
    scores = matcher(clips, captions)
    columns = np.array([[places[caption(name, tone)] for tone in range(len(TONES))] for name in names])
    return np.take_along_axis(scores, columns, axis=1).argmax(1) == tones
