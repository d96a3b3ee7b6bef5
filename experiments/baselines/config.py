"""GANs of before on the digits' clips: t2v train --config=experiments/baselines/config.py:BASELINE."""

import pathlib
import runpy

from t2v_jax.errors import UsageError

DIGITS = pathlib.Path(__file__).parents[2] / "configs" / "moving_digits.py"
BASELINES = {  # name -> generator and discriminator in networks.py
    "frames": ("FrameGenerator", "FrameDiscriminator"),
    "volumes": ("VolumeGenerator", "VolumeDiscriminator"),
    "tutorial": ("FrameGenerator", "UnconditionalDiscriminator"),
}


def get_config(baseline):
    """The clips and steps of configs/moving_digits.py; loss and optimiser as the papers have them.

    A generator of single frames paints only those that its discriminator looks at.
    """
    if baseline not in BASELINES:
        raise UsageError(f"no baseline {baseline!r}; expected one of {', '.join(BASELINES)}")
    config = runpy.run_path(str(DIGITS))["get_config"]()
    for kind, network in zip(("generator", "discriminator"), BASELINES[baseline]):
        config[kind].network = f"experiments.baselines.networks:{network}"
    config.batch_size, config.data.clips_per_caption = 32, 1
    config.loss.update(kind="non_saturating", penalty="none", contrast_weight=0.0, energy_weight=0.0)
    config.loss.mismatch_weight = 0.0 if baseline == "tutorial" else 0.5
    learning_rates = {"generator_learning_rate": 2e-4, "discriminator_learning_rate": 2e-4}
    config.optimizer.update(learning_rates, beta_1=0.5, beta_2=0.999)
    _, computed, painted, scored = config.schedule.stages[-1]
    stage = 0, computed, painted if baseline == "volumes" else scored, scored
    config.schedule.update(stages=(stage,), max_start_offset=0)
    return config
