"""Programs that compile side by side, while others run."""

import concurrent.futures
import os
from collections.abc import Callable, Hashable, Iterable
from typing import Any


class Programs:
    """The compiled programs of variants; a context manager.

    `compile` makes one of a variant: of those foreseen at once, in their order, of another when it is asked
    for. Threads do, for XLA's compiler leaves Python to others: one for two cores, so that the first program
    is not kept waiting.
    """

    def __init__(self, compile: Callable[[Any], Any], foreseen: Iterable[Hashable]):
        self._pool = concurrent.futures.ThreadPoolExecutor(max(1, (os.cpu_count() or 1) // 2))
        self._compile, self._programs = compile, {}
        for variant in foreseen:
            self._begin(variant)

    def __getitem__(self, variant: Hashable) -> Any:
        """The program of a variant, when it is ready."""
        self._begin(variant)
        return self._programs[variant].result()

    def _begin(self, variant):
        if variant not in self._programs:
            self._programs[variant] = self._pool.submit(self._compile, variant)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._pool.shutdown(cancel_futures=True)
