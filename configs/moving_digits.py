"""One moving digit, 64 x 64 pixels, 16 frames (SBMG of TGANs-C, arXiv 1804.08264): the shipped model.

    t2v train --config=configs/tiny.py --workdir=runs/tiny
    t2v train --config=configs/moving_digits.py --workdir=runs/digits

It grows from the tiny run. Hardware: two CPU cores (AVX-512), busy with other jobs. From the tiny run's step
6,000 (about 40 minutes), 36 minutes more, at step 2,030 of 3,000: motion right in 99.8 % of 500 clips, digit
in 61.8 % (`t2v evaluate --workdir=runs/digits`, experiments/moving_digits).
"""

from t2v_jax import config as configuration


def get_config():
    """See the module's docstring."""
    config = configuration.default()
    config.steps = 3_000
    config.log_every = 50
    config.sample_every = 500
    config.checkpoint_every = 250
    config.grow_from = "runs/tiny"
    config.generator.scene_channels = 32
    config.generator.painter_channels = (32, 12)
    config.generator.detail_channels = (8,)
    config.discriminator.frame_channels = (16, 32, 64, 128)
    config.discriminator.clip_channels = (32, 48)
    config.discriminator.clip_pooling = 4
    config.game.generator_rate = 8e-4
    config.game.discriminator_rate = 8e-4
    config.game.warmup_steps = 300
    config.game.penalty_weight = 2.0
    config.game.final_penalty_weight = 1.0
    config.game.penalty_decay_steps = 3_000
    config.game.average_decay = 0.998
    config.game.stages = ((0, 16, 5, 2),)
    return config
