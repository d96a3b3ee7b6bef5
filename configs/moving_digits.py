r"""One moving digit, 64 x 64 pixels, 16 frames (SBMG of TGANs-C, arXiv 1804.08264): the shipped model.

    t2v train --config=configs/moving_digits.py --workdir=runs/digits

Digit and motion are right in 99.8 % of 3,000 clips of trained combinations and of as many held-out ones
(`t2v evaluate --workdir=runs/digits`, experiments/obedience). The model that ships goes on from there, with
clips that begin up to 160 frames late, so that long ones keep their course:

    ON="--config=configs/moving_digits.py --config.game.latest_start=160
      --config.game.stages=((0,16,5,2),) --config.game.generator_rate=5e-4"
    t2v train $ON --workdir=runs/long --config.start_from=runs/digits --config.steps=4000 \
      --config.game.decay_steps=4000 --config.game.contrast_weight=0.2

(to its step 1,700 with 1700 for both numbers of steps and a contrast_weight of 0.5; with a new discriminator,
as from an export of runs/digits without its discriminator.npz). 99.2 and 97.0 %. Then with a clip judge that
sees half the size, first alone, and four clips of each digit and motion in a batch:

    SEE="--config.data.alike=4 --config.discriminator.clip_pooling=2
      --config.discriminator.clip_channels=(16,32,48)"
    t2v train $ON $SEE --workdir=runs/judge --config.start_from=runs/long --config.steps=500 \
      --config.game.decay_steps=500 --config.game.generator_rate=1e-9 --config.game.final_rate=0.9 \
      --config.game.penalty_weight=0.2 --config.game.final_penalty_weight=0.1
    t2v train $ON $SEE --workdir=runs/diverse --config.start_from=runs/judge --config.steps=3000 \
      --config.game.decay_steps=3000 --config.game.contrast_weight=0.2 --config.game.final_penalty_weight=0.03

98.9 and 97.8 %. And then with smooth canvases, set by cubic interpolation (up to there it was linear):

    t2v train $ON $SEE --workdir=runs/clean --config.start_from=runs/diverse --config.steps=2800 \
      --config.game.decay_steps=2800 --config.game.contrast_weight=0.1 --config.generator.smooth=True \
      --config.game.penalty_weight=0.05

97.7 and 97.2 %, with more various and cleaner handwriting. And last with eight clips of each digit and motion
in a batch, and with the energy distance between generated and real ones in G's loss:

    EIGHT="$ON $SEE --config.data.alike=8 --config.generator.smooth=True"
    t2v train $EIGHT --workdir=runs/eight --config.start_from=runs/clean --config.steps=2800 \
      --config.game.decay_steps=2800 --config.game.contrast_weight=0.05 --config.game.penalty_weight=0.04
    t2v train $EIGHT --workdir=runs/energy --config.start_from=runs/eight --config.steps=2000 \
      --config.game.decay_steps=2000 --config.game.contrast_weight=0.02 --config.game.penalty_weight=0.03 \
      --config.game.energy_weight=4

of which the first was stopped at step 1,710 and the second at 798. 98.4 and 94.5 %, looks and motions 0.87
and 0.95 times as various as real ones. Hardware: one CPU core, another training beside it. Minutes: 100
(AVX2), 41, 12, 46, 58, 43 and 20 (AVX-512).
"""

from t2v_jax import config as configuration


def get_config():
    """See the module's docstring."""
    config = configuration.default()
    config.steps = 5_000
    config.log_every = 50
    config.sample_every = 500
    config.checkpoint_every = 250
    config.text.sentence = "mean"
    config.game.beta_1 = 0.5
    config.game.penalty_weight = 0.1
    config.game.final_penalty_weight = 0.02
    config.game.decay_steps = 5_000
    config.game.stages = ((0, 8, 2, 2), (2_500, 16, 5, 2))
    return config
