"""A visit to an accelerator, in one command: does it run, how fast is it, and then minutes of training.

    python experiments/accelerator/visit.py --output=DIR --minutes=6 \\
      --run="digits: --config=configs/moving_digits.py" --run="shapes: --config=configs/moving_shapes.py"

Needs no network: JAX comes from the machine, other packages from wheels (README.md). All runs train side by
side and stop in time. What is left in DIR is a few archives: report.tar, of logs, speeds, metrics, sample
sheets, and evaluations where a world has a judge; models.tar, of the exported models; NAME.tar, of the
checkpoint that a run goes on from elsewhere; cache.tar, of the compiled programs, so that a second visit
(--cache=cache.tar) need not compile.
"""

import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time

from absl import app, flags

OUTPUT = flags.DEFINE_string("output", None, "directory to leave everything in", required=True)
RUNS = flags.DEFINE_multi_string("run", [], "NAME: flags of t2v train, but --workdir")
MINUTES = flags.DEFINE_float("minutes", 6, "of training", lower_bound=0)
CHECKS = flags.DEFINE_bool("checks", True, "first see whether it runs, and how fast")
CACHE = flags.DEFINE_string("cache", None, "cache.tar of an earlier visit to such a machine")
SPEEDS = flags.DEFINE_multi_string("speed", [], "flags of t2v train whose speed alone is measured")
EVALUATED = flags.DEFINE_integer("evaluated", 300, "clips of each split in an evaluation; 0: none")

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
T2V = [sys.executable, "-m", "t2v_jax.cli"]
LARGEST = 15 << 20  # bytes of an archive that is left
SHEETS = 4  # of each run
STARTING = 60  # seconds until a run's clock starts, at most
CHECKING = 150  # seconds for the checks, at most


def environment(workplace):
    """What every command runs in: this checkout, one cache of programs, no memory taken ahead."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
        "JAX_COMPILATION_CACHE_DIR": str(workplace / "cache"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.5",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    }


class Visit:
    """The directories of a visit, and how its commands are started."""

    def __init__(self, output):
        self.output = pathlib.Path(output).absolute()
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="visit"))
        self.report = self.place / "report"
        for directory in (self.output, self.report):
            directory.mkdir(parents=True, exist_ok=True)
        self.environment = environment(self.place)

    def start(self, name, command, **environment):
        """A command as a process of its own, its output in NAME.log."""
        with (self.report / f"{name}.log").open("ab") as log:
            variables = self.environment | environment
            return subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=log, env=variables, start_new_session=True
            )

    def workdir(self, name):
        return self.place / name


def finish(processes, seconds, stop=signal.SIGTERM, grace=40):
    """Wait so long for processes by name, then ask those left to stop, then kill: {name: exit status}."""
    deadline = time.monotonic() + seconds
    for ask in (None, stop, signal.SIGKILL):
        for process in processes.values():
            if ask and process.poll() is None:
                os.killpg(process.pid, ask)  # and what it has started
        while time.monotonic() < deadline and any(p.poll() is None for p in processes.values()):
            time.sleep(0.2)
        deadline = time.monotonic() + grace
    return {name: process.wait(10) for name, process in processes.items()}


def check(visit, runs):
    """Smoke test here and on the CPU, then the speed of the runs; the steps' losses beside one another."""
    script = [sys.executable, HERE / "smoke.py"]
    places = {"smoke": {}, "smoke_cpu": {"JAX_PLATFORMS": "cpu"}}
    outputs = {name: visit.report / f"{name}.json" for name in places}
    processes = {
        name: visit.start(name, [*script, f"--output={outputs[name]}"], **variables)
        for name, variables in places.items()
    }
    speed = [sys.executable, HERE / "speed.py", f"--output={visit.report / 'speed.json'}"]
    processes["speed"] = visit.start(
        "speed", [*speed, *(f"--run={flags}" for flags in [*runs.values(), *SPEEDS.value])]
    )
    tell(visit, "checks", finish(processes, CHECKING))
    if all(path.exists() for path in outputs.values()):
        tell(visit, "smoke", compared(*(json.loads(path.read_text()) for path in outputs.values())))


def compared(here, there):
    """How far a smoke test is from another."""
    apart = [abs(a - b) for a, b in zip(here["losses"], there["losses"])]
    levels = [abs(a - b) for a, b in zip(here["clip"], there["clip"])]
    kept = {name: here[name] for name in ("backend", "stopped", "stream_is_the_clip")}
    return kept | {"losses_apart": apart, "clip_levels": max(levels), "clip_mean": sum(levels) / len(levels)}


def train(visit, runs, seconds):
    """All runs side by side, each for so long by `config.minutes`, beside what it needs to start."""
    runs = {name: f"{flags} --config.minutes={seconds / 60}" for name, flags in runs.items()}
    processes = {
        name: visit.start(name, [*T2V, "train", *shlex.split(flags), f"--workdir={visit.workdir(name)}"])
        for name, flags in runs.items()
    }
    tell(visit, "trained", finish(processes, seconds + STARTING))


def evaluate(visit, runs):
    """What of each run's clips a judge reads rightly, where the world has one."""
    processes = {}
    for name in runs:
        if (visit.workdir(name) / "checkpoints").is_dir():
            command = [*T2V, "evaluate", f"--workdir={visit.workdir(name)}", "--seeds=0"]
            command += [f"--clips={EVALUATED.value}", f"--output={visit.report / f'{name}.json'}"]
            processes[name] = visit.start(f"{name}.evaluation", command)
    tell(visit, "evaluated", finish(processes, 60))


def pack(visit, runs):
    """The archives of all that is to be kept."""
    models = {name: visit.place / "models" / name for name in runs}
    exports = {
        name: visit.start(
            f"{name}.export", [*T2V, "export", f"--workdir={visit.workdir(name)}", f"--output={model}"]
        )
        for name, model in models.items()
    }
    finish(exports, 60)
    for name in runs:
        workdir, kept = visit.workdir(name), visit.report / name
        kept.mkdir()
        for file in [workdir / "metrics.jsonl", *sorted((workdir / "samples").glob("*.png"))[-SHEETS:]]:
            if file.exists():
                shutil.copy(file, kept)
        leave(visit, f"{name}.tar", sorted((workdir / "checkpoints").glob("[0-9]*"))[-1:])
    leave(visit, "models.tar", [visit.place / "models"])
    leave(visit, "cache.tar", [visit.place / "cache"])


def leave(visit, name, parts):
    """A compressed archive of files and directories, unless it is too large to leave."""
    path = visit.output / name
    with tarfile.open(path, "w:xz", preset=1) as archive:
        for part in filter(pathlib.Path.exists, parts):
            archive.add(part, part.name)
    if path.stat().st_size > LARGEST:
        tell(visit, name, {"too large": path.stat().st_size})
        path.unlink()


def tell(visit, what, facts):
    """A line of the visit's report, printed and kept."""
    line = json.dumps({what: facts, "seconds": round(time.monotonic() - BEGUN, 1)})
    print(line, flush=True)
    with (visit.report / "visit.jsonl").open("a") as report:
        report.write(line + "\n")


BEGUN = time.monotonic()


def main(_):
    visit = Visit(OUTPUT.value)
    runs = dict(map(str.strip, run.split(":", 1)) for run in RUNS.value)
    if CACHE.value:
        shutil.unpack_archive(CACHE.value, visit.place, filter="data")
    if CHECKS.value:
        check(visit, runs)
    if MINUTES.value:
        train(visit, runs, 60 * MINUTES.value)
        if EVALUATED.value:
            evaluate(visit, runs)
        pack(visit, runs)
    leave(visit, "report.tar", [visit.report])


if __name__ == "__main__":
    app.run(main)
