"""Train and judge variants of the digits' game, each as long as all others.

    python experiments/ablations/run.py --workdir=runs/ablations [--variant=whole] [--seed=0]

A run that was stopped goes on, one whose report lies in reports/ is left out: the command may be given again,
and on other machines. `vectors` needs `pip install t2v_jax[glove]`.
"""

import json
import pathlib
import runpy

from absl import app, flags
from variants import REPORTS, VARIANTS

from t2v_jax import config as configuration
from t2v_jax.evaluation.evaluate import evaluate_model
from t2v_jax.inference.model import Model
from t2v_jax.runtime.files import write_atomically
from t2v_jax.training import loop, setup
from t2v_jax.training.checkpoints import Checkpoints

WORKDIR = flags.DEFINE_string("workdir", None, "holds a folder for each run", required=True)
VARIANT = flags.DEFINE_multi_enum("variant", list(VARIANTS), list(VARIANTS), "which of them")
SEED = flags.DEFINE_multi_integer("seed", [0, 1, 2], "of the training")
CLIPS = flags.DEFINE_integer("clips", 300, "judged of either kind, a run")

CONFIG = pathlib.Path(__file__).parents[2] / "configs" / "moving_digits.py"
STEPS = 800  # in which the whole game learns the digits, and some of the motion


def variant_run(name, seed, workdir):
    """The `Run` of a variant; `loop.run_training` plays it."""
    config = runpy.run_path(str(CONFIG))["get_config"]()
    config.update_from_flattened_dict(VARIANTS[name].changes)
    config.update(seed=seed, steps=STEPS)
    run = setup.set_up(configuration.check(config), workdir)
    generator = VARIANTS[name].generator(run.config, run.language.vocabulary_size)
    return run._replace(networks=run.networks._replace(generator=generator))


def classifier(run, clips):
    """The report of `t2v_jax.evaluation.evaluate` on a finished run."""
    with Checkpoints(run.workdir) as checkpoints:
        ema = checkpoints.restore_arrays("ema")
    params = Model(ema, run.config, run.language, type(run.networks.generator))
    return evaluate_model(params, clips, seeds=(0,))


def main(_):
    for seed in SEED.value:
        for name in VARIANT.value:
            workdir = pathlib.Path(WORKDIR.value) / f"{name}-{seed}"
            report = REPORTS / f"{workdir.name}.json"
            if report.exists():
                continue
            run = variant_run(name, seed, workdir)
            if loop.run_training(run).step < STEPS:
                return  # asked to stop
            write_atomically(report, (json.dumps(classifier(run, CLIPS.value)) + "\n").encode())
            print(f"{report} written", flush=True)


if __name__ == "__main__":
    app.run(main)
