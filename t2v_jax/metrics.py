"""What a run reports: a JSON line and TensorBoard events for the file, progress for the reader."""

import datetime
import json
import math
import pathlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TextIO

import numpy as np

from t2v_jax.errors import UsageError
from t2v_jax.files import write_atomically


class MetricWriter:
    """Scalars to `workdir/metrics.jsonl` and, with images, to TensorBoard events in `workdir`.

    A run that resumes after `step` finished steps drops what an earlier one wrote beyond it, so
    that no step is told twice. A context manager; raises UsageError where `workdir` cannot be
    written or metrics.jsonl is not made of lines with a step.
    """

    def __init__(self, workdir: str | pathlib.Path, step: int = 0):
        import tensorboardX

        workdir = pathlib.Path(workdir)
        path = workdir / "metrics.jsonl"
        try:
            workdir.mkdir(parents=True, exist_ok=True)
            if path.exists():
                write_atomically(path, _lines_up_to(step, path))
            self._lines = path.open("a", encoding="utf-8", buffering=1)
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror}; choose another workdir") from error
        # The step in its name keeps a run resumed within a second from overwriting the first one.
        self._events = tensorboardX.SummaryWriter(
            str(workdir), purge_step=step + 1, filename_suffix=f".{step}"
        )

    def scalars(self, step: int, values: Mapping[str, Any]) -> None:
        """One line {"step": …, name: number, …}; a number that is not finite becomes null."""
        values = {name: float(value) for name, value in values.items()}
        finite = {name: value if math.isfinite(value) else None for name, value in values.items()}
        self._lines.write(json.dumps({"step": int(step), **finite}) + "\n")
        for name, value in values.items():
            self._events.add_scalar(name, value, int(step))

    def images(self, step: int, images: Mapping[str, np.ndarray]) -> None:
        """Images uint8 [height, width, 1 or 3] by name, to TensorBoard."""
        for name, image in images.items():
            self._events.add_image(name, np.asarray(image), int(step), dataformats="HWC")

    def close(self) -> None:
        """Writes out what is still held back."""
        self._lines.close()
        self._events.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _lines_up_to(step: int, path: pathlib.Path) -> bytes:
    """The whole lines of a metrics file with at most `step`; a torn last line is dropped too."""
    *lines, _ = path.read_bytes().split(b"\n")
    try:
        return b"".join(line + b"\n" for line in lines if json.loads(line)["step"] <= step)
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path} has a line that is not a JSON object with a step; move the file away"
        ) from error


class Timed(Iterator):
    """An iterator that knows how long it was waited for."""

    def __init__(self, items: Iterator):
        self._items = items
        self._waited, self._since = 0.0, time.monotonic()

    def __next__(self):
        asked = time.monotonic()
        item = next(self._items)
        self._waited += time.monotonic() - asked
        return item

    def share(self) -> float:
        """Of the time since this was last asked, the share that was spent waiting, 0 to 1."""
        now = time.monotonic()
        share = self._waited / max(now - self._since, 1e-9)
        self._waited, self._since = 0.0, now
        return share


class Progress:
    """How far a run is, how fast, and its losses: a bar on a terminal or notebook, else lines.

    `total` and `start` count steps, `clips_per_step` is the global batch. A run that ends by the clock has no
    total, but says how many seconds are `left`. Losses are fetched from
    the device and shown once in `every` steps (and after the first and the last), and with them the
    share of the time in which the steps waited for `batches`. Writes to stderr. A context manager.
    """

    def __init__(
        self,
        total: int | None,
        clips_per_step: int,
        *,
        start: int = 0,
        every: int = 50,
        batches: Timed | None = None,
        left: Callable[[], float] | None = None,
    ):
        self._total, self._clips, self._every, self._batches = total, clips_per_step, every, batches
        self._left = left
        self._start = self._shown = start
        self._time = time.monotonic()
        self._bar = _bar(total, start) if _is_interactive(sys.stderr) else None

    def update(self, step: int, losses: Mapping[str, Any]) -> None:
        """Tells that `step` steps are done; `losses` are scalars by name."""
        if self._bar is not None:
            self._bar.update(step - self._bar.n)
        if self._is_due(step):
            self._show(step, {name: float(value) for name, value in losses.items()})

    def close(self) -> None:
        """Leaves the bar as it stands."""
        if self._bar is not None:
            self._bar.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _is_due(self, step: int) -> bool:
        first_or_last = self._shown == self._start or step == self._total
        return step > self._shown and (first_or_last or step // self._every > self._shown // self._every)

    def _show(self, step: int, losses: dict[str, float]) -> None:
        now = time.monotonic()
        pace = max(now - self._time, 1e-9) / (step - self._shown)
        self._time, self._shown = now, step
        facts = [f"{self._clips / pace:.0f} clips/s"]
        if self._batches is not None:
            facts.append(f"{self._batches.share():.1%} waiting for data")
        told = [f"{name} {value:.4g}" for name, value in losses.items()]
        if self._bar is not None:
            self._bar.set_postfix_str(", ".join(facts + told))
            return
        left = self._left() if self._total is None else (self._total - step) * pace
        of_all = "" if self._total is None else f"/{self._total}"
        facts = [f"step {step}{of_all}", *facts, f"ETA {datetime.timedelta(seconds=round(left))}", *told]
        print(", ".join(facts), file=sys.stderr, flush=True)


def _is_interactive(stream: TextIO) -> bool:
    return stream.isatty() or "ipykernel" in sys.modules


def _bar(total: int | None, start: int):
    # Imported here: in a notebook without widgets the import itself warns.
    from tqdm.auto import tqdm

    return tqdm(total=total, initial=start, unit="step", dynamic_ncols=True)
