"""Decoding in parallel, in processes that a damaged file may crash or hang without harm to the rest."""

import collections
import functools
import multiprocessing
import os
import pathlib
import signal
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from t2v_jax.data.videos.decode import ClipSpec, Decoded, decode
from t2v_jax.data.videos.pictures import UnusableVideo
from t2v_jax.errors import UsageError

PATIENCE = 300  # seconds for one file


class Decoders:
    """`workers` processes (None: one a core) that decode files; a context manager.

    A script that uses it needs the guard `if __name__ == "__main__"`, for the processes are spawned: without,
    a UsageError is raised, as where no process can be started.
    """

    def __init__(self, spec: ClipSpec, workers: int | None = None):
        self.spec = spec
        self._decode = functools.partial(_decode, spec=spec, patience=PATIENCE)
        self._workers = workers or os.cpu_count() or 1
        if getattr(multiprocessing.current_process(), "_inheriting", False):
            sys.exit(1)  # a worker, which has begun to run the script that started it; that one tells
        self._pool = _pool(self._workers)
        try:
            self._pool.submit(os.getpid).result()
        except BrokenProcessPool as error:
            raise UsageError(
                'the processes that decode end as they start: a script needs if __name__ == "__main__": '
                "around what it runs, for they import it"
            ) from error

    def __call__(self, paths: Iterable[pathlib.Path]) -> Iterator[Decoded | str]:
        """For each file, in order, what it gave or the reason why nothing."""
        pending = collections.deque()
        for path in paths:
            pending.append((path, self._submit(path)))
            if len(pending) > 2 * self._workers:  # those decoded wait in memory
                yield self._result(*pending.popleft())
        while pending:
            yield self._result(*pending.popleft())

    def _submit(self, path: pathlib.Path) -> Future:
        try:
            return self._pool.submit(self._decode, path)
        except BrokenProcessPool:
            self._pool = _pool(self._workers)
            return self._pool.submit(self._decode, path)

    def _result(self, path: pathlib.Path, future: Future) -> Decoded | str:
        try:
            return future.result()
        except UnusableVideo as error:
            return str(error)
        except BrokenProcessPool:  # by this file or by one beside it
            return self._alone(path)

    def _alone(self, path: pathlib.Path) -> Decoded | str:
        with _pool(1) as pool:
            try:
                return pool.submit(self._decode, path).result()
            except UnusableVideo as error:
                return str(error)
            except BrokenProcessPool:
                return f"damaged: its decoder crashed or took more than {PATIENCE} s"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._pool.shutdown(cancel_futures=True)


def _pool(workers: int) -> ProcessPoolExecutor:
    # Spawned: a fork of a process in which JAX has threads can hang.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, context, initializer=_ignore_interrupts)


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle


def _decode(path: pathlib.Path, spec: ClipSpec, patience: int) -> Decoded:
    # An alarm that nobody handles ends the process, even inside a decoder that never returns.
    signal.alarm(patience)
    try:
        return decode(path, spec)
    finally:
        signal.alarm(0)
