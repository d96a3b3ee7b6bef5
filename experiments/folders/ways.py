"""Straight ways within the frame."""

import random

import folder

DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


def start(way: tuple[float, float], side: int, rng: random.Random) -> tuple[float, float]:
    """Where a square of `side` pixels sets out to stay in the frame all the way: its left upper corner."""
    room = folder.SIZE - side
    return tuple(rng.uniform(max(0, -along), room - max(0, along)) for along in way)
