"""Several devices: the same training, the same videos, shared out."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import types

import jax
import numpy as np
import pytest

import t2v_jax
from t2v_jax.errors import UsageError
from t2v_jax.runtime import sharding
from t2v_jax.training import steps
from tests import example

ROOT = pathlib.Path(__file__).parents[2]

# Continues a copy of the small run from its second step to its fourth on four devices.
FOUR_DEVICES = """
import json, pathlib, runpy, sys
import jax, numpy as np
import t2v_jax
from t2v_jax.inference import generation
from t2v_jax.inference.model import Model
from t2v_jax.runtime import sharding
from t2v_jax.training import first_state, setup, steps
from t2v_jax.training.checkpoints import Checkpoints
from t2v_jax.config import check
from t2v_jax.data.pipeline import clip_batches

workdir, data, model = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
config = runpy.run_path("tests/small.py")["get_config"]()
config.mesh.update(data=data, model=model)
run = setup.set_up(check(config), workdir)
batches = clip_batches(run.source, run.language, config.batch_size, seed=config.seed)
with Checkpoints(workdir, 2) as checkpoints:
    state = first_state.restore_or_start(run, checkpoints, batches)
assert int(state.step) == 2
layout = jax.tree.map(lambda leaf: leaf.sharding, state)
shared = sum(not leaf.is_fully_replicated for leaf in jax.tree.leaves(state.generator))
alike = all(
    jax.tree.map(lambda leaf: leaf.sharding, moments) == parameters
    for adam, parameters in (
        (state.generator_adam, layout.generator),
        (state.discriminator_adam, layout.discriminator),
    )
    for moments in (adam[0].mu, adam[0].nu)
)
batch = sharding.shard_batch(run.mesh, next(batches))
step = steps.compile_step(run, layout, *steps.variant_at(config, 2))
step = step.lower(state, batch, np.float32(0)).compile()
losses = []
for done in (2, 3):
    state, metrics = step(state, batch, np.float32(done / config.steps))
    losses.append({name: float(value) for name, value in metrics.items()})
    batch = sharding.shard_batch(run.mesh, next(batches))
batches.close()
np.savez(workdir / "after.npz", *map(np.asarray, jax.tree.leaves(state.ema)))
params = Model(state.ema, run.config, run.language)
video = t2v_jax.generate(params, "digit 3 is up and down.", seed=5)
alone = t2v_jax.generate(jax.device_get(params), "digit 3 is up and down.", seed=5)
captions = params.language.encode(["digit 3 is up and down."] * 8)
painting = [
    generation._paint.alone.lower(params, generation._shared_out(given, captions), np.uint32(5), 0, frames=4)
    .compile().cost_analysis()["flops"]
    for given in (jax.device_get(params), params)
]
print(json.dumps({
    "devices": len(run.mesh.devices.flat),
    "losses": losses,
    "shared": shared,
    "alike": alike,
    "kept": layout == jax.tree.map(lambda leaf: leaf.sharding, state),
    "collectives": "all-reduce" in step.as_text(),
    "operations": step.cost_analysis()["flops"],
    "painting": painting,
    "levels": int(np.abs(np.asarray(video, int) - np.asarray(alone, int)).max()),
}))
"""


@pytest.fixture(scope="module", params=[(4, 1), (2, 2)], ids=str)
def on_four_devices(request, trained, tmp_path_factory):
    """The mesh, the workdir, and what the script told of it."""
    workdir = shutil.copytree(trained, tmp_path_factory.mktemp("devices") / "run")
    shutil.rmtree(workdir / "checkpoints" / "4")
    flags = f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count=4"
    result = subprocess.run(
        [sys.executable, "-c", FOUR_DEVICES, str(workdir), *map(str, request.param)],
        cwd=ROOT,
        env=os.environ | {"XLA_FLAGS": flags},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.returncode == 0, result.stderr
    return request.param, workdir, json.loads(result.stdout)


def relative(metrics):
    """The same metrics, the scores of clips relative to those of real ones.

    A constant added to all scores leaves every loss of the small run as it is, so that its gradient is
    rounding alone, which Adam makes a whole step of.
    """
    scores = {name: value - metrics["real_score"] for name, value in metrics.items() if "_score" in name}
    return metrics | scores


def test_four_devices_train_as_one(on_four_devices, trained):
    _, workdir, told = on_four_devices
    assert told["devices"] == 4
    lines = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
    for line, losses in zip(map(relative, lines[2:]), map(relative, told["losses"]), strict=True):
        for name, value in losses.items():
            assert value == pytest.approx(line[name], rel=1e-3, abs=1e-4), name
    after = np.load(workdir / "after.npz")
    alone = jax.tree.leaves(t2v_jax.load(trained).generator)
    for name, leaf in zip(after.files, alone, strict=True):
        # Adam divides by a gradient's size: where that is next to nothing, rounding decides.
        assert np.abs(after[name] - leaf).mean() < 1e-5


@pytest.fixture(scope="module")
def operations(tmp_path_factory):
    """Of the same step on one device."""
    run, state, batch = example.started(example.small.get_config(), tmp_path_factory.mktemp("one") / "run")
    layout = jax.tree.map(lambda leaf: leaf.sharding, state)
    step = (
        steps.compile_step(run, layout, *steps.variant_at(run.config, 2))
        .lower(state, batch, np.float32(0))
        .compile()
    )
    return step.cost_analysis()["flops"]


def test_each_device_does_its_share(on_four_devices, operations):
    """And at most a tenth more: what all do alike, as the updates of the parameters, is little."""
    (data, _), _, told = on_four_devices
    assert told["operations"] * data < 1.1 * operations


def test_state_is_shared_out_and_stays_so(on_four_devices):
    (_, model), _, told = on_four_devices
    assert told["alike"] and told["kept"] and told["collectives"]
    assert (told["shared"] > 0) == (model > 1)


def test_video_is_the_same_on_four_devices(on_four_devices):
    assert on_four_devices[2]["levels"] <= 1


def test_each_device_paints_its_share(on_four_devices):
    (data, _), _, told = on_four_devices
    alone, shared = told["painting"]
    assert shared * data < 1.1 * alone


def test_mesh_that_does_not_fit_is_refused():
    with pytest.raises(UsageError, match="a mesh of 3 x 1 does not fit 1 devices"):
        sharding.make_mesh(3, 1)
    with pytest.raises(UsageError, match=r"mesh.model that divides 1"):
        sharding.make_mesh(-1, 2)


def test_batch_that_the_devices_do_not_divide_is_an_error():
    mesh = types.SimpleNamespace(shape={"data": 6, "model": 1})
    sharding.check_batch(mesh, 36)
    with pytest.raises(UsageError, match="32 is not a multiple of the 6 devices .* try 30"):
        sharding.check_batch(mesh, 32)
