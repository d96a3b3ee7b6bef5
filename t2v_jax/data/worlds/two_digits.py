"""Two digits: two different handwritten digits, each of which bounces in its own motion and pace.

The two-digit benchmark of Sync-DRAW (arXiv 1611.10314) and TGANs-C (arXiv 1804.08264, "TBMG"). Each
pair of digits is trained in two of its four pairs of motions and held out in the other two.
"""

import numpy as np

from t2v_jax.data.worlds.digit_world import DIGITS
from t2v_jax.data.worlds.moving_digits import MOTIONS, MovingDigits


class TwoDigits(MovingDigits):
    """Two digits in the order of the caption, which their class does not depend on."""

    attributes = {"digit_1": DIGITS, "motion_1": MOTIONS, "digit_2": DIGITS, "motion_2": MOTIONS}
    templates = (
        "digit {digit_1} is {motion_1} and digit {digit_2} is {motion_2}.",
        "the digit {digit_1} is moving {motion_1} and the digit {digit_2} is moving {motion_2}",
    )
    holds_out_one_in = 2

    def caption_class(self, combination) -> int:
        return super().caption_class(min(combination, combination[2:] + combination[:2]))

    def _is_possible(self, combination) -> bool:
        return combination[0] != combination[2]

    def _render(self, combinations, draws) -> np.ndarray:
        one, other = (super(TwoDigits, self)._render(half, draws) for half in np.hsplit(combinations, 2))
        return np.maximum(one, other, out=one)
