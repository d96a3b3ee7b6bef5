"""Paths as users write them: what cannot be one is told in one line."""

import os

import pytest

from t2v_jax.errors import UsageError
from t2v_jax.runtime.files import local_path


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("x" * 5000, "File name too long"),
        ("run/" * 2000, "File name too long"),
        ("ru\0n", "null byte"),
        ("gs://bucket/run", "not a path on this machine"),
        ("~nosuch/run", "no such home directory"),
    ],
)
def test_what_can_be_no_path_is_told(path, reason):
    with pytest.raises(UsageError, match=reason):
        local_path(path)


def test_a_directory_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(UsageError, match="cannot look at .*: Permission denied; name another path"):
        local_path(tmp_path)


def test_what_is_not_there_yet_is_a_path(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "run" / "a", tmp_path / "file" / "a"):
        assert local_path(path) == path
