"""The metrics file, its events, and the progress lines."""

import contextlib
import io
import json
import os
import pty
import re
import sys
import termios
import types

import jax.numpy as jnp
import numpy as np
import pytest
from tensorboardX import proto

from t2v_jax.errors import UsageError
from t2v_jax.progress import Progress, TimedIterator
from t2v_jax.training.metrics import MetricWriter


def lines_of(workdir):
    """The objects of metrics.jsonl."""
    return [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]


def events_of(workdir):
    """The TensorBoard events, file after file in order of their names."""
    events = []
    for path in sorted(workdir.glob("events.out.tfevents.*")):
        data = path.read_bytes()
        while data:  # a record: length (8 bytes), its check sum (4), event, check sum (4)
            length = int.from_bytes(data[:8], "little")
            events.append(proto.event_pb2.Event.FromString(data[12 : 12 + length]))
            data = data[16 + length :]
    return events


def write_steps(workdir, steps, value, step=0):
    with MetricWriter(workdir, step) as writer:
        for number in steps:
            writer.scalars(number, {"generator": value, "discriminator": 2 * value})


def test_scalars_become_a_line_a_step(tmp_path):
    with MetricWriter(tmp_path / "new" / "run") as writer:
        writer.scalars(1, {"generator": jnp.float32(0.5), "clips_per_second": 812})
        writer.scalars(2, {"generator": 0.25, "clips_per_second": np.float32(8)})
    assert lines_of(tmp_path / "new" / "run") == [
        {"step": 1, "generator": 0.5, "clips_per_second": 812.0},
        {"step": 2, "generator": 0.25, "clips_per_second": 8.0},
    ]


def test_a_line_is_in_the_file_at_once(tmp_path):
    with MetricWriter(tmp_path) as writer:
        writer.scalars(1, {"generator": 0.5})
        assert len(lines_of(tmp_path)) == 1


def test_scalars_and_images_become_events(tmp_path):
    with MetricWriter(tmp_path) as writer:
        writer.scalars(3, {"generator": 0.5})
        writer.images(3, {"samples": np.zeros((20, 30, 1), np.uint8)})
        writer.images(4, {"samples": np.zeros((8, 6, 3), np.uint8)})
    told = [(event.step, value) for event in events_of(tmp_path) for value in event.summary.value]
    assert [(step, value.tag) for step, value in told] == [
        (3, "generator"),
        (3, "samples"),
        (4, "samples"),
    ]
    assert told[0][1].simple_value == 0.5
    assert [(value.image.height, value.image.width) for _, value in told[1:]] == [(20, 30), (8, 6)]


def test_a_number_that_is_not_finite_is_valid_json(tmp_path):
    write_steps(tmp_path, [1], float("nan"))
    write_steps(tmp_path, [2], float("inf"), step=1)
    assert "NaN" not in (tmp_path / "metrics.jsonl").read_text()
    assert [line["generator"] for line in lines_of(tmp_path)] == [None, None]


def test_a_resumed_run_has_one_line_a_step(tmp_path):
    write_steps(tmp_path, range(1, 9), 1.0)
    write_steps(tmp_path, range(6, 11), 2.0, step=5)
    lines = lines_of(tmp_path)
    assert [line["step"] for line in lines] == list(range(1, 11))
    assert [line["generator"] for line in lines] == [1.0] * 5 + [2.0] * 5


def test_a_resumed_run_keeps_the_events_and_purges_the_later_ones(tmp_path):
    write_steps(tmp_path, range(1, 9), 1.0)
    write_steps(tmp_path, range(6, 11), 2.0, step=5)
    events = events_of(tmp_path)
    starts = [e.step for e in events if e.session_log.status == proto.event_pb2.SessionLog.START]
    assert starts[-1] == 6
    assert sum(value.tag == "generator" for e in events for value in e.summary.value) == 8 + 5


def test_a_line_torn_by_a_kill_is_dropped(tmp_path):
    write_steps(tmp_path, [1, 2], 1.0)
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 3, "gener')
    write_steps(tmp_path, [3], 2.0, step=2)
    assert [line["step"] for line in lines_of(tmp_path)] == [1, 2, 3]


def test_a_foreign_metrics_file_is_refused_and_kept(tmp_path):
    path = tmp_path / "metrics.jsonl"
    for content in ("hello\n", "[1]\n", '{"loss": 1}\n', '{"step": "x"}\n', "\n"):
        path.write_text(content)
        with pytest.raises(UsageError, match="metrics.jsonl"):
            MetricWriter(tmp_path)
        assert path.read_text() == content


def test_a_workdir_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(UsageError, match="run"):
        MetricWriter(tmp_path / "run")


@pytest.fixture
def run(monkeypatch):
    """Runs a Progress at half a second a step, returns what it wrote."""

    def run(total, start=0, stream=None, **options):
        now = [0.0]
        stream = stream or io.StringIO()
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setattr("time.monotonic", lambda: now[0])
        with Progress(total, 16, start=start, **options) as progress:
            for step in range(start + 1, total + 1):
                now[0] += 0.5
                progress.update(step, {"generator": jnp.float32(1.25), "discriminator": 0.5})
        return stream

    return run


def test_progress_in_a_file_is_a_line_every_n_steps(run):
    lines = run(25, every=10).getvalue().splitlines()
    assert [re.match(r"step (\d+)/25, ", line)[1] for line in lines] == ["1", "10", "20", "25"]
    assert lines[1] == ("step 10/25, 32 clips/s, ETA 0:00:08, generator 1.25, discriminator 0.5")


def test_progress_tells_how_much_of_the_time_went_into_waiting_for_data(monkeypatch):
    now = [0.0]

    def slow_batches():
        for seconds in (0.5, 1, 2):
            now[0] += seconds
            yield seconds

    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    timed = TimedIterator(slow_batches())
    with Progress(3, 16, every=1, batches=timed) as progress:
        for step in (1, 2, 3):
            next(timed)
            now[0] += 1.5
            progress.update(step, {})
    shares = [
        re.search(r"clips/s, ([\d.]+)% waiting for data, ETA", line)[1]
        for line in stream.getvalue().splitlines()
    ]
    assert shares == ["25.0", "40.0", "57.1"]
    assert next(timed, None) is None


def test_progress_of_a_resumed_run_counts_on(run):
    lines = run(30, start=12, every=10).getvalue().splitlines()
    assert [re.match(r"step (\d+)/30, 32 ", line)[1] for line in lines] == ["13", "20", "30"]


def test_a_run_that_ends_by_the_clock_tells_the_time_that_is_left(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    clock = types.SimpleNamespace(progress=0.5, left=90.2)
    with Progress(1_000_000, 16, every=5, clock=clock) as progress:
        for step in range(1, 6):
            progress.update(step, {})
    first, last = stream.getvalue().splitlines()
    assert first.startswith("step 1, ") and last.startswith("step 5, ") and last.endswith("ETA 0:01:30")


def test_losses_are_fetched_for_shown_steps_only(monkeypatch):
    class Loss:
        fetched = 0

        def __float__(self):
            Loss.fetched += 1
            return 1.0

    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with Progress(100, 16, every=50) as progress:
        for step in range(1, 101):
            progress.update(step, {"generator": Loss()})
    assert Loss.fetched == 3


def read_to_the_end(reader):
    chunks = []
    with contextlib.suppress(OSError):  # so Linux says that the terminal's other end is closed
        while chunk := os.read(reader, 100_000):
            chunks.append(chunk)
    return b"".join(chunks).decode()


@pytest.fixture
def on_terminal(run):
    """Runs a Progress on a terminal of some columns: what it showed there, the newest last."""

    def on_terminal(columns, *arguments, **options):
        reader, terminal = pty.openpty()
        termios.tcsetwinsize(terminal, (30, columns))
        with os.fdopen(terminal, "w") as stream:
            run(*arguments, stream=stream, **options)
        shown = read_to_the_end(reader)
        os.close(reader)
        assert shown.count("\n") == 1 and shown.endswith("\n")
        return shown.strip().split("\r")

    return on_terminal


def test_progress_on_a_terminal_is_one_line_written_again_and_again(on_terminal):
    *_, before, last = on_terminal(120, 20, every=10, device="1 x cpu")
    assert before.startswith(f"[{19 * '#'} ] 19/20, 0:00:00 left, 32 clips/s")
    assert last.startswith(f"[{20 * '#'}] 20/20, 0:00:00 left, 32 clips/s, ")
    assert "generator 1.25, discriminator 0.5, 1 x cpu" in last


@pytest.mark.parametrize("columns", [120, 80, 30])
def test_the_bar_never_wraps(on_terminal, columns):
    lines = on_terminal(columns, 20, every=10, device="8 x some accelerator of a long name " * 3)
    assert {len(line) for line in lines[:-1]} == {columns - 1} and len(lines) == 20


def test_the_bar_shows_facts_and_leaves_room_for_what_is_printed(monkeypatch):
    stream = io.StringIO()
    stream.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", stream)
    with Progress(4, 16, every=1) as progress:
        for step in (1, 2, 3, 4):
            progress.update(step, {})
            progress.note("caption match", f"{10 * step} %")
            if step == 2:
                progress.pause()
                progress.pause()
                print("a warning", file=stream)
    above, warning, bar = stream.getvalue().rstrip("\n").split("\n")
    assert "2/4" in above and warning == "a warning" and "4/4" in bar
    assert "caption match 30 %" in bar.split("\r")[-1] and "caption match 20 %" not in bar.split("\r")[-1]


def test_the_first_line_counts_no_time_without_training(monkeypatch):
    now, stream = [0.0], io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with Progress(100, 16, every=50) as progress:
        now[0] += 95
        progress.idle(95)
        now[0] += 0.5
        progress.update(1, {})
    assert stream.getvalue() == "step 1/100, 32 clips/s, ETA 0:00:50\n"
