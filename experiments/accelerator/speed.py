"""How fast a run's steps, its feeding and a shipped model's clips are on the device at hand.

    python experiments/accelerator/speed.py --output=speed.json --run="--config=configs/moving_digits.py" ...

Each --run is what `t2v train` would be told. All programs are compiled side by side; then each run's step is
timed on one batch that stays on the device, with its penalties and without, and once more through the loader.
"""

import concurrent.futures
import json
import pathlib
import shlex
import statistics
import tempfile
import time
from typing import Any, NamedTuple

import jax
import numpy as np
from absl import app, flags
from ml_collections import config_flags

import t2v_jax
from t2v_jax import config as configuration
from t2v_jax.data.pipeline import clip_batches
from t2v_jax.runtime import sharding
from t2v_jax.training import first_state, setup, steps
from t2v_jax.training.checkpoints import Checkpoints

OUTPUT = flags.DEFINE_string("output", None, "the JSON file to write", required=True)
RUNS = flags.DEFINE_multi_string("run", [], "flags of t2v train, but --workdir")
STEPS = flags.DEFINE_integer("steps", 40, "steps that are timed", lower_bound=2)
MODELS = flags.DEFINE_multi_string("model", ["moving-digits"], "shipped models whose clips are timed")
FRAMES = flags.DEFINE_integer("frames", 2_000, "of the stream that is timed", lower_bound=2)


class Started(NamedTuple):
    """A run ready to step: its batches, and its updates, without the penalties and with them."""

    run: setup.Run
    state: Any
    batches: Any
    updates: list


def parsed(arguments):
    """The configuration that flags of `t2v train` ask for."""
    values, arguments = flags.FlagValues(), shlex.split(arguments)
    config_flags.DEFINE_config_file("config", None, "", flag_values=values, sys_argv=arguments)
    values(["", *arguments])
    return configuration.check(values.config)


def started(arguments):
    """The run in a new workdir; its updates are still to be compiled."""
    run = setup.set_up(parsed(arguments), pathlib.Path(tempfile.mkdtemp()) / "run")
    batches = clip_batches(run.source, run.language, run.config.batch_size, seed=run.config.seed)
    with Checkpoints(run.workdir, 1) as checkpoints:
        state = first_state.restore_or_start(run, checkpoints, batches)
    batch = sharding.shard_batch(run.mesh, next(batches))
    layout = jax.tree.map(lambda leaf: leaf.sharding, state)
    frames, _ = steps.variant_at(run.config, run.config.steps)
    updates = [
        steps.compile_step(run, layout, frames, penalised).lower(state, batch, np.float32(0))
        for penalised in (False, True)
    ]
    return Started(run, state, batches, updates)


def compiled(runs):
    """The same runs, their programs compiled side by side."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        programs = [[pool.submit(update.compile) for update in run.updates] for run in runs]
    return [
        run._replace(updates=[program.result() for program in updates])
        for run, updates in zip(runs, programs)
    ]


def milliseconds(update, state, batches):
    """The median time of steps one after another, and the state after them."""
    times = []
    for batch in batches:
        start = time.perf_counter()
        state, metrics = update(state, batch, np.float32(0))
        jax.block_until_ready(metrics)
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times[1:]), state


def step_row(arguments, ready):
    """Milliseconds, clips a second and arithmetic of a run's steps."""
    run, state, size = ready.run, ready.state, ready.run.config.batch_size
    batch = sharding.shard_batch(run.mesh, next(ready.batches))
    times = []
    for update in ready.updates:
        spent, state = milliseconds(update, state, [batch] * STEPS.value)
        times.append(spent)
    start = time.perf_counter()
    for _ in range(STEPS.value):
        state, metrics = ready.updates[0](
            state, sharding.shard_batch(run.mesh, next(ready.batches)), np.float32(0)
        )
    jax.block_until_ready(metrics)
    fed = 1e3 * (time.perf_counter() - start) / STEPS.value
    ready.batches.close()
    every = run.config.loss.penalty_every
    mean = ((every - 1) * times[0] + times[1]) / every
    return {
        "run": arguments,
        "step_ms": round(times[0], 2),
        "penalised_ms": round(times[1], 2),
        "clips_per_second": round(1e3 * size / mean),
        "fed_clips_per_second": round(1e3 * size / fed),
        "gigaflop": [round(_flops(update) / 1e9, 1) for update in ready.updates],
        "teraflop_per_second": round(_flops(ready.updates[0]) / times[0] / 1e9, 2),
        "memory_mib": [update.memory_analysis().temp_size_in_bytes >> 20 for update in ready.updates],
    }


def _flops(program):
    return (program.cost_analysis() or {}).get("flops", 0.0)


def generation_rows():
    """Clips at once and frames one by one, of shipped models."""
    for name in MODELS.value:
        params = jax.device_put(t2v_jax.load(name))
        sentence = (t2v_jax.inference.model.SHIPPED / name / "prompts.txt").read_text().splitlines()[0]
        times = {}
        for batch in (1, 64):
            paint = lambda: t2v_jax.generate(params, [sentence] * batch)  # noqa: B023, E731
            paint()
            start = time.perf_counter()
            for _ in range(5):
                paint()
            times[f"clip_ms_of_{batch}"] = round(1e3 * (time.perf_counter() - start) / 5 / batch, 3)
        stream = t2v_jax.Stream(params, sentence)
        jax.block_until_ready(next(stream))
        start = time.perf_counter()
        for _ in range(FRAMES.value):
            frame = next(stream)
        jax.block_until_ready(frame)
        rate = FRAMES.value / (time.perf_counter() - start)
        yield {"model": name, **times, "stream_frames_per_second": round(rate)}


def main(_):
    output, rows = pathlib.Path(OUTPUT.value), []

    def tell(row):
        print(json.dumps(row), flush=True)
        rows.append(row)
        output.write_text(json.dumps(rows, indent=1))

    tell({"device": jax.devices()[0].device_kind, "devices": jax.device_count(), "jax": jax.__version__})
    begun = time.perf_counter()
    runs = [*map(started, RUNS.value)]
    traced = time.perf_counter()
    runs = compiled(runs)
    tell(
        {
            "programs": 2 * len(runs),
            "traced_in_seconds": round(traced - begun, 1),
            "compiled_in_seconds": round(time.perf_counter() - traced, 1),
        }
    )
    for arguments, ready in zip(RUNS.value, runs):
        tell(step_row(arguments, ready))
    for row in generation_rows():
        tell(row)


if __name__ == "__main__":
    app.run(main)
