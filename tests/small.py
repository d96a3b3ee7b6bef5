"""The smallest run that has every part: what the tests train in a moment."""

from t2v_jax import config as configuration


def get_config():
    """16 x 16 pixels, 4 frames, two stages of two steps, a checkpoint after each."""
    config = configuration.default()
    config.update(batch_size=4, steps=4, log_every=1, sample_every=4, checkpoint_every=2)
    config.data.update(size=16, frames=4, digit_size=8, clips=64)
    config.text.update(word_width=8, tag_width=4, sentence="mean", width=16)
    config.generator.update(noise_width=8, style_width=16)
    config.generator.update(scene_channels=16, painter_channels=(8,))
    config.discriminator.update(frame_channels=(8, 16), clip_channels=(8,), clip_pooling=2)
    config.loss.penalty_every = 2
    config.optimizer.warmup_steps = 1
    config.schedule.update(max_start_offset=3, stages=((0, 4, 2, 1),))
    return config
