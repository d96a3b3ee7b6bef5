"""Memory of a training step, with what its convolutions leave behind kept or computed again.

    python experiments/speed/recomputation.py --config=configs/moving_digits.py

For each stage, and for dense training, the temporary memory of the compiled program and its operations: as it
is, and with `nn.remat` around the painter, and around the judges' convolutions too (Chen et al. 2016, arXiv
1604.06174). The ConvLSTM's own reverse pass always keeps its gates alone and computes the rest again.
"""

import functools
from unittest import mock

import flax.linen as nn
import operations
import timing
from absl import app, flags
from step import one_update, stages, started

from t2v_jax.gan.sampling import Frames
from t2v_jax.networks import discriminator, generator

CONFIG = flags.DEFINE_string("config", None, "the file of a config", required=True)

PAINTER, TRUNK = (generator, "Painter"), (discriminator, "Trunk")
AGAIN = {"all kept": (), "painter again": (PAINTER,), "painter and trunks again": (PAINTER, TRUNK)}


def sizes(update, state, batch):
    """Temporary memory in MiB, billions of operations."""
    program = timing.compiled(update, state, batch)
    return timing.memory(program), operations.count(update, state, batch) / 1e9


def main(_):
    run, state, batch = started(CONFIG.value)
    number = run.config.data.frames
    print("| frames computed, painted | | temporary memory, MiB | operations, G |\n|---|---|---|---|")
    # Each row takes a minute to compile, so it is shown as soon as it is there.
    for frames in [*stages(run.config), Frames(number, number, number)]:
        for title, modules in AGAIN.items():
            patches = [mock.patch.object(*place, nn.remat(getattr(*place))) for place in modules]
            for patch in patches:
                patch.start()
            memory, counted = sizes(functools.partial(one_update, run, frames), state, batch)
            mock.patch.stopall()
            worked_on = f"{frames.computed}, {frames.painted}"
            print(f"| {worked_on} | {title} | {memory:.0f} | {counted:.1f} |", flush=True)


if __name__ == "__main__":
    app.run(main)
