"""Turning digits: one handwritten digit that moves one way, turns once and moves back.

The motions of GODIVA (arXiv 2104.14806). Each digit is trained in three of the four.
"""

import numpy as np

from t2v_jax.data.worlds.digit_world import DIGITS, DigitWorld

MOTIONS = ("up then down", "down then up", "left then right", "right then left")
TURN = 0.4, 0.6  # when it turns, share of the clip
REACH = 0.6, 1.0  # how fast it is, share of the fastest pace at which it stays inside


class TurningDigits(DigitWorld):
    """One digit at a pace that stays, turning anywhere in the frame."""

    attributes = {"digit": DIGITS, "motion": MOTIONS}
    templates = ("the digit {digit} is moving {motion}.", "digit {digit} goes {motion}")
    holds_out_one_in = 4

    def _render(self, combinations, draws) -> np.ndarray:
        digits, motions = combinations.T
        axes, backwards = np.divmod(motions, 2)
        along = self._paths(draws)
        along = np.where(backwards[:, None], self._span - along, along)
        return self._slide(digits, along, axes == 0, draws)

    def _paths(self, draws) -> np.ndarray:
        """[n, frames]: down to a turn and up again, pixels in 0 .. span."""
        times = np.linspace(0, 1, self.frames)
        away = np.abs(times - draws.uniform(*TURN)[:, None])
        away *= draws.uniform(*REACH)[:, None] * self._span / TURN[1]
        return away + draws.uniform(0, self._span - away.max(1))[:, None]
