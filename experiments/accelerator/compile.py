"""Compiles our programs for accelerators, ahead of time, on a machine that has none.

    pip install "t2v_jax[aot]"
    python experiments/accelerator/compile.py [--config=configs/two_digits.py] [--platform=cuda] [--devices=8]

The step of the last stage of each config in configs/, at CLIPS clips, `generate` of a batch, and a frame of a
`Stream`, for NVIDIA's H100 (cuda) and Google's v5e (tpu): what each device does, see costs.py. Takes a minute
of a core each. Writes counted.json after each program, leaves out those that stand there, and prints it all
as a table; delete the file to count anew.
"""

import itertools
import json
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

from t2v_jax.runtime.files import write_atomically  # noqa: E402

CONFIG = flags.DEFINE_multi_string("config", [*map(str, programs.CONFIGS)], "the file of a config")
PLATFORM = flags.DEFINE_multi_enum("platform", ["cuda", "tpu"], ["cuda", "tpu", "cpu"], "what to compile for")
DEVICES = flags.DEFINE_multi_integer("devices", [1, 8], "that share a batch", lower_bound=1, upper_bound=8)

CLIPS = 256  # of a step, over all devices
HERE = pathlib.Path(__file__).parent
H100, COUNTED = HERE / "h100.txtpb", HERE / "counted.json"
ORDER = ("config", "program", "platform", "devices")
COLUMNS = (
    "config",
    "program",
    "on each of",
    "GFLOP",
    "GB read, written",
    "GB of memory",
    "launches",
    "collectives, MB",
)


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


def counted(path, platform, count, known):
    """Rows, one for each program of a config, but those whose names are `known`."""
    for name, function, arguments in laid_out(path, platform, count, {"batch_size": CLIPS}):
        if name not in known:
            yield {"program": name, **costs.measure(function.lower(*arguments).compile())}


def table(rows):
    """As Markdown."""
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|---" * len(COLUMNS) + "|"
    for row in rows:
        kinds = row["collectives"].items()
        fields = [
            row["config"],
            row["program"],
            f"{row['devices']} x {row['platform']}",
            *(f"{row[name] / 1e9:.2f}" for name in ("flops", "bytes", "memory")),
            f"{row['launches']:.0f}" + (f" + {row['turn']:.0f} a turn" if row["unknown"] else ""),
            ", ".join(f"{count} {kind} {size / 1e6:.2f}" for kind, (count, size) in kinds) or "none",
        ]
        yield f"| {' | '.join(fields)} |"


def main(_):
    rows = json.loads(COUNTED.read_text()) if COUNTED.exists() else []
    for path, platform, count in itertools.product(CONFIG.value, PLATFORM.value, DEVICES.value):
        place = {"config": pathlib.Path(path).stem, "platform": platform, "devices": count}
        known = {row["program"] for row in rows if row.items() >= place.items()}
        for row in counted(path, platform, count, known):
            rows.append({**place, **row})
            write_atomically(COUNTED, json.dumps(rows, indent=1).encode())
    print(*table(sorted(rows, key=lambda row: [str(row[name]) for name in ORDER])), sep="\n")


if __name__ == "__main__":
    app.run(main)
