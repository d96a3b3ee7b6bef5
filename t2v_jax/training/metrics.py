"""The metrics of a run: JSON lines, and events for TensorBoard."""

import contextlib
import json
import math
import pathlib
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from t2v_jax.errors import UsageError
from t2v_jax.runtime.files import write_atomically


class MetricWriter:
    """Scalars to `workdir/metrics.jsonl` and, with images, to TensorBoard events in `workdir`.

    A run that resumes after `step` finished steps drops what an earlier one wrote beyond it, so
    that no step is written twice. A context manager; raises UsageError where `workdir` cannot be
    written or metrics.jsonl is not made of lines with a step.
    """

    def __init__(self, workdir: str | pathlib.Path, step: int = 0):
        workdir = pathlib.Path(workdir)
        path = workdir / "metrics.jsonl"
        try:
            workdir.mkdir(parents=True, exist_ok=True)
            if path.exists():
                write_atomically(path, _lines_up_to(step, path))
            self._events = _Events(workdir, step)
            self._lines = path.open("a", encoding="utf-8", buffering=1)
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror}; choose another workdir") from error

    def scalars(self, step: int, values: Mapping[str, Any]) -> None:
        """One line {"step": …, name: number, …}; a number that is not finite becomes null."""
        values = {name: float(value) for name, value in values.items()}
        finite = {name: value if math.isfinite(value) else None for name, value in values.items()}
        self._lines.write(json.dumps({"step": int(step), **finite}) + "\n")
        self._events.scalars(int(step), values)

    def images(self, step: int, images: Mapping[str, np.ndarray]) -> None:
        """Images uint8 [height, width, 1 or 3] by name, to TensorBoard."""
        self._events.images(int(step), images)

    def close(self) -> None:
        """Writes out what is still held back."""
        with contextlib.closing(self._events):
            self._lines.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class _Events:
    """TensorBoard's file, written at once: a full disk ends the thread of SummaryWriter unseen."""

    def __init__(self, workdir, step):
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto.event_pb2 import SessionLog

        # The step in its name keeps a run resumed within a second from overwriting the first one.
        self._writer = EventsWriter(str(workdir / "events"), f".{step}")
        self._write(step + 1, session_log=SessionLog(status=SessionLog.START))

    def scalars(self, step, values):
        from tensorboardX.summary import scalar

        for name, value in values.items():
            self._write(step, summary=scalar(name, value))
        self._writer.flush()

    def images(self, step, images):
        from tensorboardX.summary import image

        for name, pixels in images.items():
            self._write(step, summary=image(name, np.asarray(pixels), dataformats="HWC"))
        self._writer.flush()

    def close(self):
        self._writer.close()

    def _write(self, step, **content):
        from tensorboardX.proto.event_pb2 import Event

        self._writer.write_event(Event(wall_time=time.time(), step=step, **content))


def _lines_up_to(step: int, path: pathlib.Path) -> bytes:
    """The whole lines of a metrics file with at most `step`; a torn last line is dropped too."""
    *lines, _ = path.read_bytes().split(b"\n")
    try:
        return b"".join(line + b"\n" for line in lines if json.loads(line)["step"] <= step)
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path} has a line that is not a JSON object with a step; move the file away"
        ) from error
