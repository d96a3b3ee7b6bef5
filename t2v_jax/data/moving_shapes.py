"""Moving shapes: one coloured shape on black that crosses the frame, straight or in a zigzag.

The five labels are those of TFGAN's Moving Shapes (Balaji et al., IJCAI 2019): shape, size, colour,
motion and direction. A quarter of their 240 combinations is held out; every pair of values is trained.
"""

import numpy as np

from t2v_jax.data.world import World
from t2v_jax.errors import UsageError

SMALLEST_FRAME = 16


def _circle(x, y, radius):
    """How much of the pixel at (x, y) is inside, 0 .. 1, of a shape around (0, 0); so its siblings."""
    return _inside(np.sqrt(x * x + y * y) - radius)


def _square(x, y, radius):
    half = radius * np.sqrt(np.pi) / 2  # the area of the circle
    return _inside(np.abs(x) - half) * _inside(np.abs(y) - half)


def _triangle(x, y, radius):
    half = radius * np.sqrt(3) / 2  # half the height of an equilateral one on a base of two radii
    run, rise = x * np.sqrt(3) / 2, (y + half) / 2
    return _inside(y - half) * _inside(run - rise) * _inside(-run - rise)


def _inside(distance):
    """A pixel's share on the inner side of an edge at a signed distance, pixels, negative inside."""
    return np.clip(0.5 - distance, 0, 1)


SHAPES = {"circle": _circle, "square": _square, "triangle": _triangle}
COLORS = {
    "red": (235, 60, 50),
    "green": (60, 190, 75),
    "blue": (60, 110, 245),
    "yellow": (250, 210, 50),
    "white": (245, 245, 245),
}
# Name -> axis (0 vertical, 1 horizontal) and sense.
DIRECTIONS = {"left": (1, -1), "right": (1, 1), "up": (0, -1), "down": (0, 1)}
# Lengths are pixels in a frame of 64, and scale with the frame.
RADII = {"small": (5.0, 6.0), "large": (9.0, 11.0)}
SWAYS = {"in a straight line": 0.0, "in a zigzag": 5.0}  # to each side of the course
PERIOD = 8  # of the zigzag, frames
PACE = 1.2, 2.0  # a frame; slower where the clip is too long for the frame


class MovingShapes(World):
    """One anti-aliased shape at a pace that stays, whole in every frame."""

    attributes = {
        "shape": tuple(SHAPES),
        "size": tuple(RADII),
        "color": tuple(COLORS),
        "motion": tuple(SWAYS),
        "direction": tuple(DIRECTIONS),
    }
    templates = (
        "a {size} {color} {shape} is moving {direction} {motion}",
        "the {size} {color} {shape} moves {direction} {motion}",
        "a {color} {shape} of {size} size goes {direction} {motion}",
    )
    holds_out_one_in = 4

    def _check(self) -> None:
        super()._check()
        if self.size < SMALLEST_FRAME:
            raise UsageError(f"size={self.size}: expected {SMALLEST_FRAME} or more, to tell shapes apart")

    def _render(self, combination, rng) -> np.ndarray:
        values = [names[i] for names, i in zip(self.attributes.values(), combination)]
        shape, size, color, motion, direction = values
        scale = self.size / 64
        radius = rng.uniform(*RADII[size]) * scale
        margin = int(np.ceil(radius)) + 1
        sway = SWAYS[motion] * scale * self._zigzag(rng)
        path = self._path(self.size - 2 * margin, sway, *DIRECTIONS[direction], rng)
        return self._paint(SHAPES[shape], radius, margin + path, margin, COLORS[color])

    def _zigzag(self, rng) -> np.ndarray:
        """[frames]: a triangle wave in -1 .. 1 at a random phase."""
        phase = (np.arange(self.frames) / PERIOD + rng.uniform()) % 1
        return 4 * np.abs(phase - 0.5) - 1

    def _path(self, room, sway, axis, sense, rng) -> np.ndarray:
        """[frames, 2]: row and column, pixels in 0 .. room, of a course that sways across its direction."""
        furthest = min(PACE[1] * self.size / 64 * (self.frames - 1), room)
        way = furthest * rng.uniform(PACE[0] / PACE[1], 1)
        along = rng.uniform(0, room - way) + way * np.linspace(0, 1, self.frames)
        across = rng.uniform(-sway.min(), room - sway.max()) + sway
        along = along if sense > 0 else room - along
        return np.stack([across, along] if axis else [along, across], axis=1)

    def _paint(self, shape, radius, centres, margin, color) -> np.ndarray:
        """A clip of the shape around `centres` [frames, 2], all at least `margin` pixels off the border."""
        # Only a window around the shape is computed.
        corners = np.clip(centres.astype(int), margin, self.size - margin - 1) - margin
        side = 2 * margin + 1
        y, x = ((corners - centres)[..., None] + np.arange(side) + 0.5).astype(np.float32).swapaxes(0, 1)
        inside = shape(x[:, None, :], y[:, :, None], radius)
        painted = (inside[..., None] * np.float32(color) + 0.5).astype(np.uint8)
        clip = np.zeros((self.frames, self.size, self.size, 3), np.uint8)
        for frame, (top, left), window in zip(clip, corners.tolist(), painted):
            frame[top : top + side, left : left + side] = window
        return clip
