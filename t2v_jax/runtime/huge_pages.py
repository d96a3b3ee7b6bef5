"""Large arrays in huge pages: a step fills gigabytes of fresh memory, else of 4 KiB at a time."""

import contextlib
import os
import pathlib
import platform
import sys
from collections.abc import Mapping

VARIABLE, TUNABLE = "GLIBC_TUNABLES", "glibc.malloc.hugetlb"
ENABLED = pathlib.Path("/sys/kernel/mm/transparent_hugepage/enabled")


def restart_with_huge_pages() -> None:
    """Begins this process again with huge pages, where they are to be had for the asking and are not in use.

    glibc looks at the variable only when a process begins. The process keeps its number, its arguments and
    what it ignores; nothing that it has printed may still wait to be written.
    """
    environment = with_huge_pages(os.environ)
    if environment and sys.executable:  # a program that embeds Python may have none
        with contextlib.suppress(OSError):
            os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)


def with_huge_pages(environment: Mapping[str, str]) -> dict[str, str] | None:
    """The environment of a process with huge pages; None where it would change nothing.

    That is where the system is not Linux with glibc, gives huge pages to all or to none, or where the
    variable already says whether they are wanted.
    """
    tunables = environment.get(VARIABLE, "")
    if TUNABLE in tunables or platform.libc_ver()[0] != "glibc":
        return None
    try:
        if "[madvise]" not in ENABLED.read_text():
            return None
    except OSError:
        return None
    return {**environment, VARIABLE: ":".join(filter(None, [tunables, f"{TUNABLE}=1"]))}
