"""Turning digits: one handwritten digit that moves one way, turns once and moves back.

The motions of GODIVA (arXiv 2104.14806). Each digit is trained in three of the four.
"""

import numpy as np

from t2v_jax.data.digit_world import DIGITS, DigitWorld

MOTIONS = ("up then down", "down then up", "left then right", "right then left")
TURN = 0.4, 0.6  # when it turns, share of the clip
REACH = 0.6, 1.0  # how fast it is, share of the fastest pace at which it stays inside


class TurningDigits(DigitWorld):
    """One digit at a pace that stays, turning anywhere in the frame."""

    attributes = {"digit": DIGITS, "motion": MOTIONS}
    templates = ("the digit {digit} is moving {motion}.", "digit {digit} goes {motion}")
    holds_out_one_in = 4

    def _render(self, combination, rng) -> np.ndarray:
        digit, motion = combination
        axis, backwards = divmod(motion, 2)
        along = self._path(rng)
        return self._slide(digit, self._span - along if backwards else along, axis == 0, rng)

    def _path(self, rng) -> np.ndarray:
        """[frames]: down to a turn and up again, pixels in 0 .. span."""
        times = np.linspace(0, 1, self.frames)
        away = np.abs(times - rng.uniform(*TURN))
        away *= rng.uniform(*REACH) * self._span / TURN[1]
        return away + rng.uniform(0, self._span - away.max())
