"""Signals that end a command, however it was started."""

import contextlib
import os
import signal
import sys
import threading

INTERRUPTED = "t2v: interrupted\n"
_ENDS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
_SOON = 0.01  # seconds


@contextlib.contextmanager
def interruptible():
    """A block in which SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt.

    However the process was started: shells have what they start in the background ignore SIGINT. In another
    thread than the first, which gets no signals, nothing changes.
    """

    def interrupt(*_):
        raise KeyboardInterrupt

    def report(lost):
        if lost.exc_type is not KeyboardInterrupt:
            hook(lost)
        else:  # raised into a callback, as of the garbage collector, which only reports it: once more
            main = threading.main_thread().ident
            threading.Timer(_SOON, signal.pthread_kill, (main, signal.SIGINT)).start()

    hook, sys.unraisablehook = sys.unraisablehook, report
    try:
        with _handled_by(interrupt):
            yield
    finally:
        sys.unraisablehook = hook


def starting():
    """A block in which they end the process as an interrupted one, with status 130.

    For where nothing is begun yet: an import into which KeyboardInterrupt is raised may lose it and go on, or
    be ended by it with SIGABRT.
    """

    def end(*_):
        os.write(sys.stderr.fileno(), INTERRUPTED.encode())
        os._exit(130)

    return _handled_by(end)


def close_at_next() -> None:
    """From now on these signals end the process, an interrupted one, while its interpreter closes."""
    for number in receivable(*_ENDS):
        signal.signal(number, lambda *_: os._exit(130))


def ending_at_once():
    """A block in which these signals end the process, with status 0, whatever its other threads do.

    For where nothing is left to be saved: an interpreter that closes while other threads compute in XLA is
    ended by that, with SIGABRT.
    """
    return _handled_by(lambda *_: os._exit(0))


@contextlib.contextmanager
def _handled_by(handler):
    before = {number: signal.signal(number, handler) for number in receivable(*_ENDS)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def receivable(*numbers):
    """These signals, if this thread is the one that gets them, otherwise none."""
    return numbers if threading.current_thread() is threading.main_thread() else ()
