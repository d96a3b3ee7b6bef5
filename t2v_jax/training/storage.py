"""When a workdir can no longer be written: the disk is full, or the directory gone."""

import contextlib

from t2v_jax.errors import UsageError
from t2v_jax.training.digests import examine


@contextlib.contextmanager
def survived(workdir):
    """A block whose failures to read or write a file become one UsageError, which says what is safe."""
    try:
        yield
    except (OSError, UsageError) as error:
        failure = error if isinstance(error, OSError) else error.__cause__
        if not isinstance(failure, OSError):
            raise
        where = f" ({failure.filename})" if failure.filename else ""
        whole, _ = examine(workdir / "checkpoints")
        safe = f"the checkpoint of step {whole[-1]} is safe" if whole else "no checkpoint is left"
        raise UsageError(
            f"training in {workdir} stopped: {failure.strerror}{where}; {safe}, and the same command goes on "
            "when the disk can be written again"
        ) from error
