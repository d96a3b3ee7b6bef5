"""What clips of more pixels ask of a training step, ahead of time.

    pip install "t2v_jax[aot]"
    python experiments/accelerator/resolution.py --platform=cuda --platform=cpu [--size=128]

The networks of `t2v train --data=FOLDER` at each size, with the batch and the frames that it takes on an
NVIDIA H100 (cuda) and, in the end, on a CPU: parameters; of a step with its penalties the operations a clip,
and the memory of the compiled program. Once with what large levels leave behind for the gradient computed
again, as they do, and once with it kept.
"""

import contextlib
import itertools
import math
import pathlib
import sys
from unittest import mock

import compile as ahead  # first, for it tells JAX to look for no accelerator
import jax
import programs
from absl import app, flags

from t2v_jax.nn import layers
from t2v_jax.training import first_state

HERE = pathlib.Path(__file__).parent
sys.path.append(str(HERE.with_name("speed")))
import operations  # noqa: E402

SIZE = flags.DEFINE_multi_integer("size", [64, 128, 256], "height and width of the frames, pixels")

CONFIG = HERE.parents[1] / "configs" / "animated_emoji.py"
FOLDER = {"generator.blur_upsample": True, "schedule.stages": ((0, 16, 5, 2),)}


def batch_size(platform, size):
    """As `t2v_jax.training.auto_config` has it for a folder of many clips."""
    return max(32 * 64 // size, 8) if platform == "cpu" else 64


def parameters(changes):
    """Of G and of D, in millions."""
    state = first_state.abstract_state(programs.prepared(CONFIG, changes))
    networks = state.generator, state.discriminator
    return [sum(leaf.size for leaf in jax.tree.leaves(network)) / 1e6 for network in networks]


def costs(platform, changes):
    """Of the step that needs most memory: operations, and bytes beside its arguments and results."""
    # While it is open the networks choose what is fast on the platform.
    with contextlib.closing(ahead.laid_out(CONFIG, platform, 1, changes)) as laid_out:
        _, (_, step, arguments) = itertools.islice(laid_out, 2)
        program = step.lower(*arguments).compile()
        return operations.count(step, *arguments), program.memory_analysis().temp_size_in_bytes


def main(_):
    print("| frames | for | clips | levels | G, D, M parameters | GFLOP a clip | MB of memory |")
    print("|---" * 7 + "|")
    for platform, size in itertools.product(ahead.PLATFORM.value, SIZE.value):
        clips = batch_size(platform, size)
        changes = {"data.size": size, "batch_size": clips, **FOLDER}
        networks = ", ".join(f"{count:.2f}" for count in parameters(changes))
        for title, bound in (("computed again", layers.LARGE), ("kept", math.inf)):
            if size < layers.LARGE and bound < math.inf:  # nothing is computed again
                continue
            with mock.patch.object(layers, "LARGE", bound):
                counted, memory = costs(platform, changes)
            numbers = f"{counted / clips / 1e9:.2f} | {memory / 1e6:.0f}"
            print(
                f"| {size} x {size} | {platform} | {clips} | {title} | {networks} | {numbers} |", flush=True
            )


if __name__ == "__main__":
    app.run(main)
