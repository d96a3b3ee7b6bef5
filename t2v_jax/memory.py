"""Keep the memory that a program has freed: it will ask for as much in a moment."""

import ctypes

_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8  # of mallopt(3)
_NEVER = 2**31 - 1


def keep_freed_memory():
    """Tell the C library to hand nothing back to the system.

    Each step of XLA's CPU programs allocates and frees hundreds of megabytes. glibc maps large pieces anew
    each time, and the system zeroes their pages: a tenth of a training step (experiments/speed). Where there
    is no mallopt, as on macOS, nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(_MMAP_MAX, 0)
        mallopt(_ARENA_MAX, 1)  # the others cannot hold large pieces
        mallopt(_TRIM_THRESHOLD, _NEVER)
