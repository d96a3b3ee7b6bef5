"""One moving digit, 32 x 32 pixels, 10 frames: the recipe on two CPU cores.

    t2v train --config=configs/tiny.py --workdir=runs/tiny

Hardware: two CPU cores (AVX-512), busy with other jobs. After 42 minutes, at step 6,428: motion right in
98.4 % of 500 clips, digit in 60.8 % (`t2v evaluate --workdir=runs/tiny`, experiments/tiny). All 13,000 steps
take about 90 minutes; what they reach has not been measured.
"""

from t2v_jax import config as configuration


def get_config():
    """See the module's docstring."""
    config = configuration.default()
    config.steps = 13_000
    config.log_every = 100
    config.sample_every = 1_000
    config.checkpoint_every = 500
    config.data.size = 32
    config.data.frames = 10
    config.data.digit_size = 14
    config.generator.scene_channels = 32
    config.generator.painter_channels = (32, 12)
    config.discriminator.frame_channels = (32, 64, 128)
    config.discriminator.clip_channels = (32, 48)
    config.discriminator.clip_pooling = 2
    config.game.generator_rate = 8e-4
    config.game.discriminator_rate = 8e-4
    config.game.final_penalty_weight = 0.2
    config.game.average_decay = 0.998
    config.game.stages = ((0, 2, 2, 2), (4_000, 10, 4, 2))
    return config
