"""A lock on a directory, which goes with the process that holds it, however that ends."""

import contextlib
import fcntl
import pathlib
from collections.abc import Iterator

from t2v_jax.errors import UsageError

LOCK = ".lock"


@contextlib.contextmanager
def locked(directory: pathlib.Path) -> Iterator[None]:
    """A block that no other process runs with this directory at the same time.

    Raises UsageError where one does, or where the directory cannot be written.
    """
    with _opened(directory) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                f"another run is writing in {directory}; wait until it ends, or choose another directory"
            ) from error
        except OSError:  # some network file systems have no locks
            pass
        yield


def _opened(directory):
    try:
        return open(directory / LOCK, "w")
    except OSError as error:
        raise UsageError(f"cannot write {directory}: {error.strerror}; choose another place") from error
