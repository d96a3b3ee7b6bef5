"""How much of a run is done: by its steps, or by the clock."""

import time

from t2v_jax.runtime.hosts import broadcast_from_first


class Budget:
    """The share of a run that is done, 0 to 1, which its rates and weights follow.

    By `config.steps`, or where there are `config.minutes` by the clock: what is left of a run is then spread
    evenly over the time that is left. Several processes go by the first one's clock: they get its share
    once in `every` steps.
    """

    def __init__(self, config, step: int, progress: float, every: int = 1):
        self._steps, self._step, self._clocked = config.steps, step, config.minutes > 0
        self._progress = progress if self._clocked else min(1.0, step / config.steps)
        self._shared, self._every = self._progress, every
        self._now = time.monotonic()
        self._end = self._now + 60 * config.minutes * (1 - self._progress)

    @property
    def progress(self) -> float:
        """The share that is done."""
        return self._shared

    @property
    def left(self) -> float | None:
        """The seconds that are left by the clock; None where steps count."""
        return max(0.0, self._end - time.monotonic()) if self._clocked else None

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return self._step >= self._steps or self._shared >= 1

    def stepped(self, waited: float = 0.0) -> None:
        """One more step is done; the seconds that it `waited` to begin count as none of its time."""
        self._step += 1
        if not self._clocked:
            self._shared = min(1.0, self._step / self._steps)
            return
        now = time.monotonic()
        left = self._end - self._now - waited
        share = 1.0 if left <= 0 else min(1.0, max(0.0, now - self._now - waited) / left)
        self._progress += (1 - self._progress) * share
        self._now = now
        if self._step % self._every == 0:  # which waits for the device
            self._shared = broadcast_from_first(self._progress, f"the clock at step {self._step}")
