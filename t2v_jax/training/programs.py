"""Programs that compile side by side, while others run."""

import concurrent.futures
import os
from collections.abc import Callable, Hashable, Iterable
from typing import Any


class Programs:
    """The compiled programs of some variants, begun in their order; a context manager.

    `compile` makes one of a variant. Threads do, for XLA's compiler leaves Python to others: one for two
    cores, so that the first program is not kept waiting.
    """

    def __init__(self, compile: Callable[[Any], Any], variants: Iterable[Hashable]):
        self._pool = concurrent.futures.ThreadPoolExecutor(max(1, (os.cpu_count() or 1) // 2))
        self._programs = {variant: self._pool.submit(compile, variant) for variant in dict.fromkeys(variants)}

    def __getitem__(self, variant: Hashable) -> Any:
        """The program of a variant, when it is ready."""
        return self._programs[variant].result()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._pool.shutdown(cancel_futures=True)
