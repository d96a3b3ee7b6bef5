"""Sentences that a model was trained on, a few, to show what it understands: prompts.txt of its directory."""

import os
import pathlib
from collections.abc import Iterable

import numpy as np

from t2v_jax.runtime.files import write_atomically

FILE = "prompts.txt"
CHOSEN, MOST = 8, 100  # of a training's captions; that are read
_LARGEST = 100_000  # bytes


def evenly_spread(captions: Iterable[str], most: int) -> list[str]:
    """At most so many of the captions, the first and the last among them."""
    captions = [*captions]
    rows = np.linspace(0, len(captions) - 1, min(most, len(captions))).round().astype(int)
    return [captions[row] for row in rows]


def choose_examples(captions: Iterable[str]) -> tuple[str, ...]:
    """At most CHOSEN different captions, spread evenly over all."""
    return tuple(evenly_spread(dict.fromkeys(" ".join(caption.split()) for caption in captions), CHOSEN))


def save_examples(directory: str | os.PathLike, examples: Iterable[str]) -> None:
    """Write prompts.txt, one example a line."""
    text = "".join(f"{example}\n" for example in examples)
    write_atomically(pathlib.Path(directory) / FILE, text.encode())


def load_examples(directory: str | os.PathLike) -> tuple[str, ...]:
    """The lines of prompts.txt that are not blank, at most MOST; none where it cannot be read."""
    try:
        with open(pathlib.Path(directory) / FILE, "rb") as file:
            text = file.read(_LARGEST).decode("utf-8-sig", "replace")
    except OSError:
        return ()
    lines = (" ".join(line.split()) for line in text.splitlines())
    return tuple(line for line in lines if line)[:MOST]
