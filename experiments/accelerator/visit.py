"""A visit to an accelerator, in one command: does it run, minutes of training, and how fast is it.

    python experiments/accelerator/visit.py --output=DIR --minutes=6 \\
      --run="digits: --config=configs/moving_digits.py" --run="shapes: --config=configs/moving_shapes.py"

Needs no network: JAX comes from the machine, other packages from wheels (APPENDIX.md). All runs train side by
side and stop in time; after them their programs, compiled by then, are timed one by one. What is left in DIR
is a few archives: report.tar, of logs, speeds, metrics, sample sheets, and evaluations where a world has a
judge; models.tar, of the exported models; NAME.tar, of the workdir that a run goes on in elsewhere;
tuning.tar, of the kernels that XLA found to be fast, so that a later visit (--tuning=tuning.tar) to a machine
of the same kind compiles sooner.
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
CHECKS = flags.DEFINE_bool("checks", True, "see whether it runs and how fast, too")
TUNING = flags.DEFINE_string("tuning", None, "tuning.tar of an earlier visit to such a machine")
SPEEDS = flags.DEFINE_multi_string("speed", [], "flags of t2v train whose speed alone is measured")
EVALUATED = flags.DEFINE_integer("evaluated", 300, "clips of each split in an evaluation; 0: none")

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
T2V = [sys.executable, "-m", "t2v_jax.cli"]
LARGEST = 15 << 20  # bytes of an archive that is left
SHEETS = 4  # of each run
STARTING = 120  # seconds beside its minutes that a run may take to start and to end, at most
SMOKING = 30  # seconds that are left for the smoke test after the training, at most
MEASURING = 120  # seconds for the speed, at most


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


def start_smoke(visit):
    """The smoke test here and on the CPU: processes by name."""
    places = {"smoke": {}, "smoke_cpu": {"JAX_PLATFORMS": "cpu"}}
    return {
        name: visit.start(
            name, [sys.executable, HERE / "smoke.py", f"--output={visit.report / name}.json"], **variables
        )
        for name, variables in places.items()
    }


def compare(visit, processes):
    """What both smoke tests found, beside one another."""
    tell(visit, "smoked", finish(processes, SMOKING))
    paths = [visit.report / f"{name}.json" for name in processes]
    if all(path.exists() for path in paths):
        tell(visit, "smoke", compared(*(json.loads(path.read_text()) for path in paths)))


def measure(visit, runs):
    """The speed of the runs and of others, each alone."""
    command = [sys.executable, HERE / "speed.py", f"--output={visit.report / 'speed.json'}"]
    command += [f"--run={told}" for told in [*runs.values(), *SPEEDS.value]]
    tell(visit, "measured", finish({"speed": visit.start("speed", command)}, MEASURING, grace=5))


def compared(here, there):
    """How far a smoke test is from another."""
    apart = [abs(a - b) for a, b in zip(here["losses"], there["losses"])]
    levels = [abs(a - b) for a, b in zip(here["clip"], there["clip"])]
    kept = {name: here[name] for name in ("backend", "stopped", "stream_is_the_clip")}
    return kept | {"losses_apart": apart, "clip_levels": max(levels), "clip_mean": sum(levels) / len(levels)}


def train(visit, runs, seconds):
    """All runs side by side, each for so long by `config.minutes`, beside what it needs to start."""
    runs = {name: f"{told} --config.minutes={seconds / 60}" for name, told in runs.items()}
    processes = {
        name: visit.start(name, [*T2V, "train", *shlex.split(told), f"--workdir={visit.workdir(name)}"])
        for name, told in runs.items()
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
        newest = sorted((workdir / "checkpoints").glob("[0-9]*"), key=lambda path: int(path.name))[-1:]
        leave(visit, f"{name}.tar", [*workdir.glob("*.json*"), *workdir.glob("*.model"), *newest])
    leave(visit, "models.tar", [visit.place / "models"])
    leave(visit, "tuning.tar", [*(visit.place / "cache").glob("xla_gpu_*")])


def leave(visit, name, parts):
    """A compressed archive of files and directories, unless it is too large to leave."""
    path = visit.output / name
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for part in filter(pathlib.Path.exists, parts):
            archive.add(part, part.relative_to(visit.place))
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
    if TUNING.value:
        shutil.unpack_archive(TUNING.value, visit.place, filter="data")
    smoke = start_smoke(visit) if CHECKS.value else {}
    if MINUTES.value:
        train(visit, runs, 60 * MINUTES.value)
        if EVALUATED.value:
            evaluate(visit, runs)
        pack(visit, runs)
    if CHECKS.value:
        compare(visit, smoke)
        leave(visit, "report.tar", [visit.report])  # lest the rest be cut short
        measure(visit, runs)
    leave(visit, "report.tar", [visit.report])


if __name__ == "__main__":
    app.run(main)
