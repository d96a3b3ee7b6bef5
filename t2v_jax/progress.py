"""How far some work is, how fast, and how long it waited for data."""

import datetime
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TextIO


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
        batches: TimedIterator | None = None,
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
        losses = [f"{name} {value:.4g}" for name, value in losses.items()]
        if self._bar is not None:
            self._bar.set_postfix_str(", ".join(facts + losses))
            return
        left = self._left() if self._total is None else (self._total - step) * pace
        of_all = "" if self._total is None else f"/{self._total}"
        facts = [f"step {step}{of_all}", *facts, f"ETA {datetime.timedelta(seconds=round(left))}", *losses]
        print(", ".join(facts), file=sys.stderr, flush=True)


def _is_interactive(stream: TextIO) -> bool:
    return stream.isatty() or "ipykernel" in sys.modules


def _bar(total: int | None, start: int):
    # Imported here: in a notebook without widgets the import itself warns.
    from tqdm.auto import tqdm

    return tqdm(total=total, initial=start, unit="step", dynamic_ncols=True)
