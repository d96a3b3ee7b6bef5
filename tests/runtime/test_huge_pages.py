"""A training begins again with huge pages, where the system gives them for the asking."""

import os
import subprocess
import sys

import pytest

from t2v_jax.runtime import huge_pages
from t2v_jax.runtime.huge_pages import VARIABLE, with_huge_pages
from tests import launch

WANTED = "glibc.malloc.hugetlb=1"


@pytest.fixture
def system(monkeypatch, tmp_path):
    """Sets what the system is: the name of its C library, and when it gives huge pages."""

    def set_to(library="glibc", enabled="always [madvise] never"):
        monkeypatch.setattr(huge_pages.platform, "libc_ver", lambda: (library, "2.36"))
        monkeypatch.setattr(huge_pages, "ENABLED", tmp_path / "enabled")
        if enabled is not None:
            (tmp_path / "enabled").write_text(enabled)

    return set_to


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, WANTED),
        ({VARIABLE: "glibc.malloc.check=1"}, f"glibc.malloc.check=1:{WANTED}"),
    ],
)
def test_the_variable_is_added_to(system, before, after):
    system()
    assert with_huge_pages({"HOME": "/", **before}) == {"HOME": "/", VARIABLE: after}


@pytest.mark.parametrize(
    ("library", "enabled", "tunables"),
    [
        ("", "always [madvise] never", ""),
        ("glibc", "[always] madvise never", ""),
        ("glibc", "always madvise [never]", ""),
        ("glibc", None, ""),
        ("glibc", "always [madvise] never", WANTED),
        ("glibc", "always [madvise] never", "glibc.malloc.hugetlb=0"),
    ],
    ids=["no glibc", "for all", "for none", "no such file", "in use", "not wanted"],
)
def test_a_process_stays_as_it_is_where_that_would_change_nothing(system, library, enabled, tunables):
    system(library, enabled)
    assert with_huge_pages({VARIABLE: tunables}) is None


def test_a_process_begins_again_once_with_its_number_and_arguments(tmp_path):
    """By a kernel of the test's own: whether that of this machine gives huge pages is no matter."""
    (tmp_path / "enabled").write_text("always [madvise] never")
    code = f"""
import os, pathlib, sys
from t2v_jax.runtime import huge_pages
huge_pages.ENABLED = pathlib.Path({str(tmp_path / "enabled")!r})
huge_pages.platform.libc_ver = lambda: ("glibc", "2.36")
print(os.getpid(), sys.argv[1:], os.environ.get({VARIABLE!r}), flush=True)
huge_pages.restart_with_huge_pages()
"""
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    command = [sys.executable, "-W", "error", "-c", code, "train", "--steps=1"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=launch.LIMIT)
    first, second = result.stdout.splitlines()
    assert (result.returncode, result.stderr) == (0, "")
    assert first.endswith("['train', '--steps=1'] None")
    assert second == first.replace("None", WANTED)


def test_train_asks_for_them(monkeypatch):
    """As a command, in a process of its own; called by other code it begins nothing again."""
    from t2v_jax import cli

    began = []
    monkeypatch.setattr(cli, "restart_with_huge_pages", lambda: began.append("again"))
    for arguments, times in ((["train", "--help"], 1), (["generate", "--help"], 1)):
        monkeypatch.setattr(sys, "argv", ["t2v", *arguments])
        assert cli.main() == 0 and len(began) == times
        assert cli.main(arguments) == 0 and len(began) == times
