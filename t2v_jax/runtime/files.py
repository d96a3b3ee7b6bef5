"""Paths as a user writes them; files that are whole under their name, or not there."""

import codecs
import contextlib
import errno
import os
import pathlib
import re
import shutil
import uuid
from collections.abc import Iterator
from typing import BinaryIO

from t2v_jax.errors import UsageError

_PART = ".{}.part"  # a file or directory that is not finished


def local_path(path: str | os.PathLike) -> pathlib.Path:
    """A path of this machine, `~` expanded.

    Raises UsageError for an address such as gs://bucket/run, for what no path can be, and for what may not
    be looked at.
    """
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", os.fspath(path)):
        raise UsageError(
            f"{path} is not a path on this machine, as expected; mount it or copy it, and name the place here"
        )
    try:
        local = pathlib.Path(path).expanduser()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            local.lstat()
        if local.is_dir() and not os.access(local, os.R_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except RuntimeError as error:  # there is no such user
        raise UsageError(f"{path}: no such home directory; write out the whole path") from error
    except (OSError, ValueError) as error:  # a name that is too long, a null character, no permission
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot look at {str(path)[:200]!r}: {reason}; name another path") from error
    return local


def check_writable(path: str | pathlib.Path) -> None:
    """Raises UsageError where no file of that name can be written."""
    path = local_path(path)
    if not path.parent.is_dir():
        raise UsageError(f"cannot write {path}: {path.parent} is no directory; make it first")
    if path.is_dir():
        raise UsageError(f"{path} is a directory; name a file")
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"cannot write in {path.parent}: permission denied; choose another place")


def open_regular(path: pathlib.Path) -> BinaryIO:
    """A file opened to read. Raises UsageError where it cannot be, or where it is a pipe or a device."""
    try:
        if path.exists() and not path.is_file():
            raise UsageError(f"cannot read {path}: no regular file")
        return path.open("rb")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error


def read_bounded(path: pathlib.Path, limit: int) -> bytes:
    """A file's content. Raises UsageError where it cannot be read or has more bytes than expected."""
    with open_regular(path) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise UsageError(f"cannot read {path}: it has more than {limit} bytes")
    return content


def to_text(content: bytes) -> str:
    """A text file's characters: UTF-8, or UTF-16 with its mark; what is neither shows as U+FFFD."""
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if wide else "utf-8-sig", "replace")


def write_atomically(path: str | pathlib.Path, data: bytes) -> None:
    """Writes `data` beside `path` and moves it into place, so that no part of it is ever seen there.

    What stood at `path` stays until then, and for good where the writing fails or is interrupted.
    Raises UsageError where the directory is missing or cannot be written.
    """
    path = local_path(path)
    part = path.with_name(_PART.format(uuid.uuid4().hex))
    try:
        part.write_bytes(data)
        os.replace(part, path)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}; choose another place or name") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def remove_parts(directory: pathlib.Path) -> None:
    """Removes what a killed process left of files and directories that it was writing there.

    To be called by who alone writes there, see `locks`.
    """
    for part in directory.glob(_PART.format("*")):
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                part.unlink()


@contextlib.contextmanager
def new_directory(path: str | pathlib.Path) -> Iterator[pathlib.Path]:
    """A directory to fill, which becomes `path` when the block ends, and vanishes if it fails."""
    path = pathlib.Path(path)
    part = path.with_name(_PART.format(uuid.uuid4().hex))
    try:
        part.mkdir(parents=True)
        yield part
        os.replace(part, path)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}; choose another place or name") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
