"""Stop on request: signals are noted, and the training loop asks for them between steps."""

import signal

import jax
from jax.experimental import multihost_utils

from t2v_jax.runtime.signals import receivable


class Preemption:
    """While entered, the first SIGTERM, SIGINT or SIGHUP asks for a stop; a second one acts as before.

    Several processes must stop at the same step: there JAX's preemption service takes SIGTERM, which
    any one of them may get, and informs them all.
    """

    def __init__(self):
        self._noted = False
        self._shared = jax.process_count() > 1

    def requested(self, step):
        """Whether to stop after this step; to be asked once a step, by every process."""
        return multihost_utils.reached_preemption_sync_point(step) if self._shared else self._noted

    def __enter__(self):
        signals = () if self._shared else receivable(signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        self._handlers = {number: signal.signal(number, self._note) for number in signals}
        return self

    def __exit__(self, *_):
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _note(self, *_):
        self._noted = True
        self.__exit__()
