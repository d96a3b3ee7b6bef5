"""How far some work is, how fast, and how long it waited for data."""

import datetime
import os
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

NARROWEST, WIDEST = 5, 20  # characters of a bar
_REDRAWN = 0.1  # seconds from one drawing of the bar to the next, at least


class TimedIterator(Iterator):
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


class Clock(Protocol):
    """Of a run that may end by the clock: the share that is done, 0 to 1, and seconds left or None."""

    progress: float
    left: float | None


class Progress:
    """How far a run is, how fast, and its losses: a bar on a terminal or notebook, else lines.

    `total` and `start` count steps, `clips_per_step` is the global batch. Where a `clock` has seconds left,
    the run ends by it and not by `total`. Losses are fetched from the device and shown once in `every` steps
    (and after the first and the last), and with them the share of the time in which the steps waited for
    `batches`. The bar also shows the `device`. Writes to stderr. A context manager.
    """

    def __init__(
        self,
        total: int,
        clips_per_step: int,
        *,
        start: int = 0,
        every: int = 50,
        batches: TimedIterator | None = None,
        clock: Clock | None = None,
        device: str = "",
    ):
        self._total, self._clips, self._every, self._batches = total, clips_per_step, every, batches
        self._clock = clock if clock is not None and clock.left is not None else None
        self._device = device
        self._start = self._shown = self._step = start
        self._time, self._pace = time.monotonic(), None
        self._speed, self._losses, self._facts = [], [], {}
        self._is_bar = sys.stderr.isatty() or "ipykernel" in sys.modules
        self._drawn = None  # when the bar was drawn last; None where the cursor is at the start of a line

    @property
    def clips_per_second(self) -> float:
        """As shown last; 0 before the first step."""
        return self._clips / self._pace if self._pace else 0.0

    def idle(self, seconds: float) -> None:
        """What passed before the next step was no training: compiling, for one. It does not count."""
        self._time += seconds

    def note(self, name: str, value: str) -> None:
        """Shows one more fact in the bar from now on, the newest value of each name."""
        self._facts[name] = value

    def update(self, step: int, losses: Mapping[str, Any]) -> None:
        """Tells that `step` steps are done; `losses` are scalars by name."""
        self._step = step
        is_due = self._is_due(step)
        if is_due:
            self._measure(step, losses)
        if self._is_bar:
            self._draw(is_due)
        elif is_due:
            facts = [f"step {self._steps()}", *self._speed, f"ETA {self._left()}", *self._losses]
            print(", ".join(facts), file=sys.stderr, flush=True)

    def pause(self) -> None:
        """What is printed next begins on a line of its own; the bar comes back below it."""
        if self._drawn is not None:
            print(file=sys.stderr, flush=True)
            self._drawn = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.pause()

    def _is_due(self, step: int) -> bool:
        first_or_last = self._shown == self._start or step == self._total
        return step > self._shown and (first_or_last or step // self._every > self._shown // self._every)

    def _measure(self, step: int, losses: Mapping[str, Any]) -> None:
        losses = {name: float(value) for name, value in losses.items()}  # waits for the device
        now = time.monotonic()
        self._pace = max(now - self._time, 1e-9) / (step - self._shown)
        self._time, self._shown = now, step
        self._speed = [f"{self.clips_per_second:.0f} clips/s"]
        if self._batches is not None:
            self._speed.append(f"{self._batches.share():.1%} waiting for data")
        self._losses = [f"{name} {value:.4g}" for name, value in losses.items()]

    def _draw(self, is_due: bool) -> None:
        now = time.monotonic()
        if self._drawn is not None and not is_due and now - self._drawn < _REDRAWN:
            return
        self._drawn = now
        facts = [self._steps(), f"{self._left()} left", *self._speed[:1], *self._losses]
        facts += [f"{name} {value}" for name, value in self._facts.items()]
        text, width = ", ".join(filter(None, [*facts, self._device])), _width() - 1  # a full line would wrap
        bar = min(max(width - len(text) - 3, NARROWEST), WIDEST)
        done = self._clock.progress if self._clock else self._step / max(self._total, 1)
        line = f"[{'#' * round(bar * done):<{bar}}] {text}"
        print(f"\r{line[:width]:<{width}}", end="", file=sys.stderr, flush=True)

    def _steps(self) -> str:
        return f"{self._step}" if self._clock else f"{self._step}/{self._total}"

    def _left(self) -> datetime.timedelta:
        seconds = self._clock.left if self._clock else (self._total - self._step) * (self._pace or 0.0)
        return datetime.timedelta(seconds=round(seconds))


def _width() -> int:
    """Columns of the terminal that stderr is, of a notebook 120."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 120
    except (OSError, ValueError):
        return 120
