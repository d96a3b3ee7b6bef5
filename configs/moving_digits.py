"""One moving digit, 64 x 64 pixels, 16 frames (SBMG of TGANs-C, arXiv 1804.08264): the shipped model."""

from t2v_jax import config as configuration


def get_config():
    """See the module's docstring."""
    config = configuration.default()
    config.steps = 20_000
    config.checkpoint_every = 500
    config.generator.scene_channels = 32
    config.generator.painter_channels = (32, 16, 8)
    config.discriminator.frame_channels = (16, 32, 64, 128)
    config.discriminator.clip_channels = (32, 48)
    config.discriminator.clip_pooling = 4
    config.game.generator_rate = 8e-4
    config.game.discriminator_rate = 8e-4
    config.game.final_penalty_weight = 0.2
    config.game.average_decay = 0.998
    config.game.stages = ((0, 2, 2, 2), (12_000, 16, 6, 2))
    return config
