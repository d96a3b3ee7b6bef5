"""A small source of captioned clips: a square of one colour goes one way over gray."""

import itertools

import numpy as np

COLOURS = {"red": (255, 0, 0), "green": (0, 200, 0), "blue": (40, 40, 255)}
STEPS = {"left": (0, -1), "right": (0, 1), "up": (-1, 0), "down": (1, 0)}
PAIRS = list(itertools.product(COLOURS, STEPS))
SIZE, FRAMES, SIDE = 16, 8, 4


class Squares:
    """`clips` clips of all pairs in turn, each of `wordings` captions in turn, a function of the seed."""

    def __init__(self, clips=96, seed=0, wordings=1):
        self._clips, self._seed, self._wordings = clips, seed, wordings

    def __len__(self):
        return self._clips

    def __getitem__(self, index):
        caption_class = index % len(PAIRS)
        clip = draw(*PAIRS[caption_class], np.random.default_rng([self._seed, index]))
        wording = index // len(PAIRS) % self._wordings
        return {"clip": clip, "caption": caption(caption_class, wording), "caption_class": caption_class}

    def captions(self):
        pairs = itertools.product(range(len(PAIRS)), range(self._wordings))
        return dict(sorted((caption(*pair), pair[0]) for pair in pairs))


def caption(caption_class, wording=0):
    colour, way = PAIRS[caption_class]
    return f"a {colour} square goes {way}" if wording == 0 else f"{way} goes the {colour} box"


def draw(colour, way, rng):
    """uint8 [FRAMES, SIZE, SIZE, 3]: from a place in the middle of the frame, a pixel a frame."""
    clip = np.full((FRAMES, SIZE, SIZE, 3), rng.integers(90, 160), np.uint8)
    start = rng.integers(4, 9, 2)
    for step, frame in enumerate(clip, -FRAMES // 2):
        top, left = (start + step * np.array(STEPS[way])).clip(0, SIZE - SIDE)
        frame[top : top + SIDE, left : left + SIDE] = COLOURS[colour]
    return clip
