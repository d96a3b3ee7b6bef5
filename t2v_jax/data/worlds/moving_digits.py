"""Moving digits: one handwritten digit that bounces between two opposite borders, and a caption.

The single-digit benchmark of TGANs-C (arXiv 1804.08264, "SBMG") in the wording of Sync-DRAW (arXiv
1611.10314). Four digits are trained in one motion and held out in the other, as all are there. Were it so
for all, the motion's words would separate half of the digits from the other half, and a model that believes
them obeys every trained caption and no other.
"""

import numpy as np

from t2v_jax.data.worlds.digit_world import DIGITS, DigitWorld

MOTIONS = ("left and right", "up and down")
TEMPLATES = ("digit {digit} is {motion}.", "the digit {digit} is moving {motion}")
SPEED = 3.0, 5.0  # the slowest and the fastest pace, pixels a frame in a frame of 64


class MovingDigits(DigitWorld):
    """One digit at a pace that stays, from border to border of one axis."""

    attributes = {"digit": DIGITS, "motion": MOTIONS}
    templates = TEMPLATES
    holds_out_one_in = 4

    def _render(self, combinations, draws) -> np.ndarray:
        digits, motions = combinations.T
        # The path between the borders, unfolded, is a circle twice their distance round.
        circle = 2 * self._span
        starts, speeds = draws.uniform(0, circle), self._speeds(draws)
        path = (starts[:, None] + speeds[:, None] * np.arange(self.frames)) % circle
        along = self._span - np.abs(path - self._span)
        return self._slide(digits, along, motions == MOTIONS.index("up and down"), draws)

    def _speeds(self, draws) -> np.ndarray:
        return draws.uniform(*SPEED) * self.size / 64
