"""Signals that end a command, however it was started."""

import contextlib
import signal
import threading


@contextlib.contextmanager
def interruptible():
    """A block in which SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt.

    However the process was started: shells have what they start in the background ignore SIGINT. In another
    thread than the first, which gets no signals, nothing changes.
    """

    def interrupt(*_):
        raise KeyboardInterrupt

    numbers = receivable(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def receivable(*numbers):
    """These signals, if this thread is the one that gets them, otherwise none."""
    return numbers if threading.current_thread() is threading.main_thread() else ()
