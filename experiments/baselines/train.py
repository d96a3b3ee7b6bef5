"""Train a baseline on the clips of a config, for as many of them as the config's own model sees.

    python experiments/baselines/train.py --baseline=frames --config=configs/moving_digits.py --workdir=DIR

Stops and goes on as `t2v train`.
"""

import pathlib

from absl import app, flags
from ml_collections import config_flags
from networks import BASELINES

from t2v_jax import config as configuration
from t2v_jax.training import loop, setup

BASELINE = flags.DEFINE_enum("baseline", None, list(BASELINES), "which of them", required=True)
CONFIG = config_flags.DEFINE_config_file("config", None, "a run of configs/")
WORKDIR = flags.DEFINE_string("workdir", None, "where it trains", required=True)


def baseline_config(config, name):
    """The same clips, batch and steps; the game as the papers play it, with the frames of whole clips.

    A player of single frames paints those alone that its discriminator looks at.
    """
    config.loss.update(kind="non_saturating", penalty="none", contrast_weight=0.0)
    config.schedule.max_start_offset = 0
    rates = {"generator_learning_rate": 2e-4, "discriminator_learning_rate": 2e-4}
    config.optimizer.update(rates, beta_1=0.5, beta_2=0.999)
    config.loss.mismatch_weight = 0.0 if name == "tutorial" else 0.5
    _, computed, painted, scored = config.schedule.stages[-1]
    config.schedule.stages = ((0, computed, painted if name == "volumes" else scored, scored),)
    return configuration.check(config)


def baseline_run(config, name, workdir):
    """The `Run` of a baseline; `loop.run_training` plays it."""
    run = setup.set_up(baseline_config(config, name), pathlib.Path(workdir))
    networks = (network(run.config, run.language.vocabulary_size) for network in BASELINES[name])
    return run._replace(networks=setup.Networks(*networks))


def main(_):
    run = baseline_run(CONFIG.value, BASELINE.value, WORKDIR.value)
    print(f"{WORKDIR.value}: step {loop.run_training(run).step}")


if __name__ == "__main__":
    app.run(main)
