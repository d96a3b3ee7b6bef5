"""How much memory there is for arrays, what is said where they would not fit, and what is given back."""

import ctypes
import pathlib
from collections.abc import Callable

import jax

from t2v_jax.errors import UsageError

_CGROUP = pathlib.Path("/sys/fs/cgroup")  # the bounds of a container


def free_memory() -> int | None:
    """Bytes that a device of this process can still hold, the least of all; None where nothing tells."""
    devices = jax.local_devices()
    found = [stats["bytes_limit"] - stats.get("bytes_in_use", 0) for stats in map(_stats, devices) if stats]
    if found:
        return min(found)
    free = _free_host_memory()
    return free and free // len(devices)


def _stats(device) -> dict | None:
    stats = device.memory_stats()
    return stats if stats and "bytes_limit" in stats else None


def _free_host_memory() -> int | None:
    """Of Linux; other systems swap before they end a process, and do not tell in a file."""
    bounds = []
    try:
        lines = pathlib.Path("/proc/meminfo").read_text().splitlines()
        facts = dict(line.split(":") for line in lines)
        bounds.append(int(facts["MemAvailable"].split()[0]) * 1024)
        used = int((_CGROUP / "memory.current").read_text())
        bounds.append(int((_CGROUP / "memory.max").read_text()) - used)
    except (OSError, KeyError, ValueError):  # no such file, or "max"
        pass
    return min(bounds, default=None)


def check_fits(needed: int, asked: Callable[[], str]) -> None:
    """Raises UsageError for more bytes than a device has free; `asked` names what is large, and its value."""
    free = free_memory()
    if free is not None and needed > free:
        raise UsageError(
            f"{asked()}; expected less: that takes {_gib(needed)} of memory on each device, and {_gib(free)} "
            "are free"
        )


def _gib(number: int) -> str:
    return f"{number / 2**30:,.1f} GiB"


def return_memory() -> None:
    """Gives the system back what the C library keeps of freed memory; call it after compiling.

    XLA's compiler works in small blocks, and glibc keeps hundreds of megabytes of them for later. Other C
    libraries give memory back by themselves, or have no such call.
    """
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)
