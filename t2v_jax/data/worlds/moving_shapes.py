"""Moving shapes: one coloured shape on black that crosses the frame, straight or in a zigzag.

The five labels are those of TFGAN's Moving Shapes (Balaji et al., IJCAI 2019): shape, size, colour,
motion and direction. A quarter of their 240 combinations is held out; every pair of values is trained.
"""

import itertools

import numpy as np

from t2v_jax.data.worlds.windows import set_windows
from t2v_jax.data.worlds.world import World
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

    def _render(self, combinations, draws) -> np.ndarray:
        shapes, sizes, colors, motions, directions = combinations.T
        scale = self.size / 64
        radii = draws.uniform(*_table(RADII)[sizes].T) * scale
        margins = np.ceil(radii).astype(int) + 1
        sways = _table(SWAYS)[motions, None] * scale * self._zigzags(draws)
        paths = self._paths(self.size - 2 * margins, sways, *_table(DIRECTIONS)[directions].T, draws)
        centres, paint = margins[:, None, None] + paths, _table(COLORS)[colors]
        clips = np.zeros((len(combinations), self.frames, self.size, self.size, 3), np.uint8)
        for kind in itertools.product(range(len(SHAPES)), range(len(RADII))):
            which = np.flatnonzero((combinations[:, :2] == kind).all(1))
            if which.size:
                corners, windows = self._paint(*kind, radii[which], centres[which], paint[which])
                set_windows(clips, which, *np.moveaxis(corners, -1, 0), windows)
        return clips

    def _zigzags(self, draws) -> np.ndarray:
        """[n, frames]: a triangle wave in -1 .. 1 at a random phase."""
        phase = (np.arange(self.frames) / PERIOD + draws.uniform()[:, None]) % 1
        return 4 * np.abs(phase - 0.5) - 1

    def _paths(self, room, sways, axes, senses, draws) -> np.ndarray:
        """[n, frames, 2]: row and column, pixels in 0 .. room [n], of courses that sway across."""
        furthest = np.minimum(PACE[1] * self.size / 64 * (self.frames - 1), room)
        way = furthest * draws.uniform(PACE[0] / PACE[1], 1)
        start = draws.uniform(0, room - way)
        along = start[:, None] + way[:, None] * np.linspace(0, 1, self.frames)
        along = np.where(senses[:, None] > 0, along, room[:, None] - along)
        across = draws.uniform(-sways.min(1), room - sways.max(1))[:, None] + sways
        return np.where(axes[:, None, None], np.stack([across, along], 2), np.stack([along, across], 2))

    def _paint(self, shape, size, radii, centres, colors):
        """Top left corners [n, frames, 2] of windows [n, frames, side, side, 3] that show n shapes whole.

        All of one shape and size, indices, of radii [n], around `centres` [n, frames, 2], in colors [n, 3].
        """
        reach = int(np.ceil(_table(RADII)[size, 1] * self.size / 64)) + 1
        corners = np.clip(centres.astype(int), reach, self.size - reach - 1) - reach
        pixels = np.arange(2 * reach + 1) + 0.5
        y, x = np.moveaxis(((corners - centres)[..., None] + pixels).astype(np.float32), 2, 0)
        draw = list(SHAPES.values())[shape]
        inside = draw(x[:, :, None], y[..., None], radii[:, None, None, None].astype(np.float32))
        windows = np.empty((*inside.shape, 3), np.uint8)
        for channel, levels in enumerate(colors.T.astype(np.float32)):  # by itself each is four times as fast
            windows[..., channel] = inside * levels[:, None, None, None] + np.float32(0.5)
        return corners, windows


def _table(values: dict) -> np.ndarray:
    """What stands for each name, in the order of the attribute's values."""
    return np.array(list(values.values()))
