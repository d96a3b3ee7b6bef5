"""Random numbers for many clips at once."""

from collections.abc import Sequence

import numpy as np

_STEP = np.uint64(0x9E3779B97F4A7C15)


class Draws:
    """A stream of random numbers for each of n clips: a function of `key` and the clip's number alone.

    Each call goes one step on in all n streams. key: ints, 0 or more; numbers: int [n], 0 or more. The
    generator is SplitMix64 (Steele, Lea and Flood 2014), which is split by clips.
    """

    def __init__(self, key: Sequence[int], numbers):
        # The 1, because zeros at the end of a key make no difference to NumPy.
        first = np.random.SeedSequence([*key, 1]).generate_state(1, np.uint64)
        self._states = _mix(first + _STEP * np.asarray(numbers, np.uint64))

    def bits(self) -> np.ndarray:
        """uint64 [n]."""
        self._states = self._states + _STEP
        return _mix(self._states)

    def uniform(self, low=0.0, high=1.0) -> np.ndarray:
        """float64 [n] in low .. high, which are numbers or arrays [n]."""
        return low + (high - low) * ((self.bits() >> np.uint64(11)) * 2.0**-53)

    def integers(self, below) -> np.ndarray:
        """int [n] from 0 to less than `below`, a number or an array [n] of at most 2**53."""
        return self.uniform(0, below).astype(int)


def _mix(numbers: np.ndarray) -> np.ndarray:
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))
