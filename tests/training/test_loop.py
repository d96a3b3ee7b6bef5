"""Training: it resumes to the bit, stops on request and on a loss that is not finite."""

import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import t2v_jax
from t2v_jax.errors import UsageError
from t2v_jax.runtime import sharding
from t2v_jax.runtime.locks import locked
from t2v_jax.training import loop, steps
from t2v_jax.training.budget import Budget
from t2v_jax.training.reports import Reports
from tests import example

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def interrupt_after(monkeypatch):
    """Lets a signal arrive while the n-th batch is on its way to the device."""
    shard_batch = sharding.shard_batch

    def install(steps, number):
        batches = iter(range(1, 1_000))

        def interrupting(mesh, batch):
            if next(batches) == steps:
                signal.raise_signal(number)
            return shard_batch(mesh, batch)

        monkeypatch.setattr(sharding, "shard_batch", interrupting)

    return install


def left_off(config, workdir):
    """The state of the newest checkpoint as arrays, and the batch that comes next."""
    return jax.device_get(example.started(config, workdir)[1:])


def metrics(workdir):
    """The lines of metrics.jsonl, without the speed, which no two runs share."""
    lines = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    return [{name: line[name] for name in line if name != "clips_per_second"} for line in lines]


@pytest.mark.parametrize("steps", [2, 3])
def test_resumed_run_equals_uninterrupted_one(small, trained, tmp_path, interrupt_after, steps):
    handler = signal.getsignal(signal.SIGINT)
    interrupt_after(steps, signal.SIGINT)
    assert loop.train(small, tmp_path).step == steps
    assert signal.getsignal(signal.SIGINT) is handler
    assert loop.train(small, tmp_path).step == 4
    jax.tree.map(np.testing.assert_array_equal, left_off(small, tmp_path), left_off(small, trained))
    assert metrics(tmp_path) == metrics(trained)
    assert [line["step"] for line in metrics(trained)] == [1, 2, 3, 4]
    sheets = [pathlib.Path(workdir, "samples", "0000004.png") for workdir in (tmp_path, trained)]
    assert sheets[0].read_bytes() == sheets[1].read_bytes()


def test_a_run_that_is_short_of_time_learns_whole_clips_too(small, tmp_path, monkeypatch):
    small.minutes = 1.0
    small.schedule.stages = ((0, 4, 2, 1), (1_000, 4, 3, 1))
    shares = types.SimpleNamespace(steps=6, minutes=0.0)  # a clock that goes a sixth on with each step
    monkeypatch.setattr(loop, "Budget", lambda config, *rest: Budget(shares, *rest))
    painted, variant_at = [], loop.variant_at

    def recorded(*arguments):
        variant = variant_at(*arguments)
        painted.append(variant[0].painted)
        return variant

    monkeypatch.setattr(loop, "variant_at", recorded)
    assert loop.train(small, tmp_path / "run") == (6, True)
    assert painted == [2, 2, 2, 2, 3, 3]


def test_finished_run_is_left_alone(small, trained, tmp_path):
    workdir = shutil.copytree(trained, tmp_path / "copy")
    # None of these touches what is learned, so they may change.
    small.update(log_every=3, sample_every=5, checkpoint_every=7, keep_checkpoints=1)
    (workdir / "samples/.0a.part").write_bytes(b"what a killed run left")
    assert loop.train(small, workdir).step == 4
    assert metrics(workdir) == metrics(trained)
    assert newest(workdir) == 4 and [*workdir.rglob("*.part")] == []


def test_a_thread_may_train(small, trained, tmp_path):
    workdir = shutil.copytree(trained, tmp_path / "copy")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        assert pool.submit(loop.train, small, workdir).result() == (4, True)


def test_only_one_run_trains_in_a_workdir(small, trained, tmp_path):
    workdir = shutil.copytree(trained, tmp_path / "copy")
    before = sorted(workdir.rglob("*"))
    with locked(workdir), pytest.raises(UsageError, match=f"another run is writing in {workdir}"):
        loop.train(small, workdir)
    assert sorted(workdir.rglob("*")) == before
    assert loop.train(small, workdir).step == 4


def test_a_full_disk_ends_the_run_with_what_is_safe(small, tmp_path, monkeypatch):
    free = iter([2**30, 1000])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(2**30, 0, next(free)))
    with pytest.raises(UsageError, match="No space left .* checkpoint of step 2 is safe") as caught:
        loop.train(small, tmp_path)
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    assert loop.train(small, tmp_path) == (4, True)


def test_a_removed_workdir_ends_the_run(small, tmp_path, monkeypatch):
    metrics = Reports.metrics

    def removing(reports, step, *arguments):
        metrics(reports, step, *arguments)
        if step == 3:
            while not (tmp_path / "checkpoints" / "2").exists():
                time.sleep(0.01)
            shutil.rmtree(tmp_path)

    monkeypatch.setattr(Reports, "metrics", removing)
    with pytest.raises(UsageError, match="No such file or directory .* no checkpoint is left"):
        loop.train(small, tmp_path)
    assert not tmp_path.exists()


def diverging(leaf, at):
    """A step in place of the minimax one: `leaf` of the metrics or the state is NaN from `at` on."""

    def step(networks, optimizers, config, frames, penalised, state, batch, progress):
        poison = jnp.where(state.step + 1 < at, 0.0, jnp.nan)
        losses = {"discriminator_loss": jnp.float32(1), "generator_loss": jnp.float32(2)}
        others = dict.fromkeys(("penalty_weight", "diversity", "real_diversity"), jnp.float32(1))
        if leaf in losses:
            losses[leaf] += poison
        else:
            poisoned = jax.tree.map(lambda x: x + poison, getattr(state, leaf))
            state = state._replace(**{leaf: poisoned})
        return state._replace(step=state.step + 1), losses | others

    return step


@pytest.mark.parametrize("leaf", ["generator_loss", "generator"])
def test_divergence_keeps_last_good_checkpoint(small, tmp_path, monkeypatch, leaf):
    monkeypatch.setattr(steps, "minimax_step", diverging(leaf, at=4))
    with pytest.raises(FloatingPointError) as caught:
        loop.train(small, tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    for part in ("at step 4", "discriminator_loss 1", "checkpoint is step 2", str(tmp_path)):
        assert part in message
    params = t2v_jax.load(tmp_path)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(params))
    monkeypatch.undo()
    state, _ = left_off(small, tmp_path)
    assert state.step == 2 and all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state))


def start_training(workdir):
    """`t2v train` of the small run, far longer, as a process; returns it after its third step."""
    command = [sys.executable, "-m", "t2v_jax.cli", "train", f"--workdir={workdir}"]
    command += ["--config=tests/small.py", "--config.steps=100000", "--config.sample_every=100000"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr.readline() == f"writing to {workdir}; open {workdir}/report.html to watch\n"
    assert re.fullmatch(
        r"training on 1 x cpu: G .* M parameters, 64 clips; compiling\n", process.stderr.readline()
    )
    lines = [process.stderr.readline() for _ in range(3)]
    assert all(line.startswith("step ") for line in lines), lines
    return process, int(lines[0].removeprefix("step ").split("/")[0])


def newest(workdir):
    return max(int(path.name) for path in (workdir / "checkpoints").iterdir() if path.name.isdigit())


def test_killed_and_terminated_runs_continue(tmp_path):
    process, first = start_training(tmp_path)
    assert first == 1
    while not (tmp_path / "checkpoints" / "2").exists():
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    saved = newest(tmp_path)
    process, first = start_training(tmp_path)
    assert first == saved + 1
    process.terminate()
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    assert output == (f"{tmp_path}: step {newest(tmp_path)}; the same command goes on from here\n")
    assert all(line.startswith("step ") for line in errors.splitlines())
    assert [line["step"] for line in metrics(tmp_path)] == list(range(1, newest(tmp_path) + 1))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(t2v_jax.load(tmp_path)))


def word_vectors(parameters):
    return np.asarray(parameters["params"]["text"]["words"]["vectors"])


def test_run_starts_from_loaded_vectors_and_frozen_ones_stay(small, tmp_path):
    path, workdir = tmp_path / "glove.txt", tmp_path / "run"
    path.write_text("".join(f"{word} {n} 1 0 0\n" for n, word in enumerate("up down 3 7".split())))
    small.text.update(vectors=str(path), train_vectors=False, word_width=5)
    small.update(steps=2, sample_every=2)
    with pytest.raises(t2v_jax.UsageError, match="word_width is 5; expected 4"):
        loop.train(small, workdir)
    small.text.word_width = 4  # the workdir has not kept the wrong one
    run, first, _ = example.started(small, workdir)
    up, down = (run.language.tokenizer.encode(word)[0].id for word in ("up", "down"))
    start = word_vectors(first.generator)
    # All are moved by one vector, their mean over the captions.
    apart = start[down] - start[up]
    np.testing.assert_allclose(apart / apart[0], [1, 0, 0, 0], atol=1e-5)
    assert loop.train(small, workdir).step == 2
    state, _ = left_off(small, workdir)
    for parameters in (state.generator, state.discriminator, state.ema):
        np.testing.assert_array_equal(word_vectors(parameters), start)
        tags = parameters["params"]["text"]["words"]["tags"]["embedding"]
        assert not np.array_equal(tags, first.generator["params"]["text"]["words"]["tags"]["embedding"])
