"""The captioned worlds by name."""

from t2v_jax.data.moving_digits import MovingDigits


def make_source(config, split="train"):
    """The clips of `config.data.world` as a random-access source; splits train and test share no digit."""
    data = config.data
    return MovingDigits(
        split,
        data.clips,
        frames=data.frames,
        size=data.size,
        digit_size=data.digit_size,
        directory=data.directory or None,
        seed=config.seed,
    )
