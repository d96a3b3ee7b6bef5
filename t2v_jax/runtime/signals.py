"""Signals that end a command, however it was started."""

import contextlib
import os
import signal
import threading


def interruptible():
    """A block in which SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt.

    However the process was started: shells have what they start in the background ignore SIGINT. In another
    thread than the first, which gets no signals, nothing changes.
    """

    def interrupt(*_):
        raise KeyboardInterrupt

    return _handled_by(interrupt)


def ending_at_once():
    """A block in which these signals end the process, with status 0, whatever its other threads do.

    For where nothing is left to be saved: an interpreter that closes while other threads compute in XLA is
    ended by that, with SIGABRT.
    """
    return _handled_by(lambda *_: os._exit(0))


@contextlib.contextmanager
def _handled_by(handler):
    numbers = receivable(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def receivable(*numbers):
    """These signals, if this thread is the one that gets them, otherwise none."""
    return numbers if threading.current_thread() is threading.main_thread() else ()
