"""Two moving digits, 64 x 64 pixels, 16 frames (TBMG of TGANs-C, arXiv 1804.08264).

    t2v train --config=configs/two_digits.py --workdir=runs/two_digits

Hardware: one CPU core (AVX2), other work beside it. Minutes: 178, in two parts, the first to step 1,949 with
`--config.steps=2600`. Of 3,000 clips of trained captions both digits and both
motions are right in 95.7 %, of held-out ones in 95.7 % (`t2v evaluate --model=two-digits`,
experiments/obedience).
"""

from t2v_jax import config as configuration


def get_config():
    """See the module's docstring."""
    config = configuration.default()
    config.steps = 4_000
    # It draws and moves single digits; what is left to learn is which of two does what. The numbers above are
    # of a run from the moving-digits of commit 5ab84f8, before it was trained on.
    config.init_from = "moving-digits"
    config.log_every = 50
    config.sample_every = 500
    config.checkpoint_every = 250
    config.data.world = "two_digits"
    config.generator.actors = 2
    config.generator.noise_width = 64
    # At a quarter of the size a digit has seven by seven pixels: too few to say which of two moves how.
    config.discriminator.clip_channels = (16, 32, 48)
    config.optimizer.beta_1 = 0.5
    # G is ahead of a D that knows nothing yet.
    config.optimizer.generator_learning_rate = 5e-4
    config.loss.penalty_weight = 0.2
    config.loss.final_penalty_weight = 0.05
    # Three frames tell little of a motion, five all.
    config.schedule.stages = ((0, 16, 3, 2), (1_950, 16, 5, 2))
    return config
