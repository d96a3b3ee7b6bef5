"""Freed memory that is kept: counted in a process of its own, as the setting lasts."""

import platform
import subprocess
import sys

import pytest

# How many pages the system must hand out anew when the same large piece is allocated again and again.
SCRIPT = """
import ctypes, resource
from t2v_jax.memory import keep_freed_memory

def new_pages(pieces=20, size=2**26):
    library = ctypes.CDLL(None)
    library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    library.free.argtypes = [ctypes.c_void_p]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(pieces):
        piece = library.malloc(size)
        ctypes.memset(piece, 1, size)
        library.free(piece)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / (pieces * size / 4096)

before = new_pages()
keep_freed_memory()
print(before, new_pages())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")
def test_large_pieces_are_mapped_once():
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, env={}
    )
    before, after = map(float, result.stdout.split())
    assert before > 0.9
    assert after < 0.1
