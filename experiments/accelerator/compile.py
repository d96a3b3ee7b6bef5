"""Compiles our programs for accelerators, ahead of time, on a machine that has none.

    pip install "t2v_jax[aot]"
    python experiments/accelerator/compile.py [--config=configs/two_digits.py] [--platform=cuda] [--devices=8]

Prints a row for each program: the step of the last stage of each config in configs/, `generate` of a batch,
and a frame of a `Stream`, for NVIDIA's H100 (cuda) and Google's v5e (tpu): see costs.py. Takes a minute each.
"""

import os
import pathlib
from unittest import mock

# Before JAX is imported: look for no accelerator, time no rivalling kernels on one, ask no cloud for one.
os.environ |= {
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_gpu_autotune_level=0",
    "TPU_SKIP_MDS_QUERY": "1",
    "TPU_ACCELERATOR_TYPE": "v5litepod-8",
}

import costs  # noqa: E402
import jax  # noqa: E402
import numpy as np  # noqa: E402
import programs  # noqa: E402
from absl import app, flags  # noqa: E402
from jax.experimental import topologies  # noqa: E402

CONFIG = flags.DEFINE_multi_string("config", [*map(str, programs.CONFIGS)], "the file of a config")
PLATFORM = flags.DEFINE_multi_enum("platform", ["cuda", "tpu"], ["cuda", "tpu", "cpu"], "what to compile for")
DEVICES = flags.DEFINE_multi_integer("devices", [1, 8], "that share a batch", lower_bound=1, upper_bound=8)

H100 = pathlib.Path(__file__).parent / "h100.txtpb"


def eight(platform):
    """So many devices, which are not there; of a CPU the one that is."""
    if platform == "cpu":
        return jax.devices()
    if platform == "tpu":
        return topologies.get_topology_desc("v5e:2x4", "tpu").devices
    target = H100.read_text()
    return topologies.get_topology_desc("h100", "cuda", topology="1x1x8", target_config=target).devices


def laid_out(path, platform, count, changes=()):
    """(name, function, arguments) of each program of a config, with `changes` of its fields."""
    devices = np.array(eight(platform)[:count]).reshape(-1, 1)
    run = programs.prepared(path, changes)._replace(mesh=jax.sharding.Mesh(devices, ("data", "model")))
    # By the backend the networks choose what is fast on it.
    with mock.patch.object(jax, "default_backend", return_value=platform):
        yield from programs.programs(run)


def main(_):
    print("| config | program | on each of | GFLOP | MB read, written | MB of memory | collectives, MB |")
    print("|---" * 7 + "|")
    for path in CONFIG.value:
        for platform in PLATFORM.value:
            for count in DEVICES.value:
                for name, function, arguments in laid_out(path, platform, count):
                    program = function.lower(*arguments).compile()
                    row = [pathlib.Path(path).stem, name, f"{count} x {platform}", *costs.measure(program)]
                    print("|", " | ".join(row), "|", flush=True)


if __name__ == "__main__":
    app.run(main)
