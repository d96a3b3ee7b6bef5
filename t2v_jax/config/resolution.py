"""What follows from the size of the frames: the levels of both networks, what D pools, the digits' size."""

from ml_collections import ConfigDict

GRID = 8  # cells a side of the generator's scene, and of what the frame discriminator makes of a frame
CLIP_GRID = 4  # and of what the clip discriminator makes of one
FEWEST = 8  # channels of the levels that no field names
DIGIT_SHARE = 28 / 64  # of the frame's side
SIZES = "8 times a power of two, from 16 on: 16, 32, 64, 128, 256 or more"  # of frames, pixels a side


def is_size(size: int) -> bool:
    """Whether frames can have so many pixels a side; see SIZES."""
    return size > GRID and size == GRID << doublings(size)


def doublings(size: int) -> int:
    """How many times GRID can be doubled, up to so many pixels."""
    return (size // GRID).bit_length() - 1


def levels(channels: tuple, count: int) -> tuple:
    """The channels of so many levels, counted from GRID on: those named, then half of each, FEWEST at least.

    So each level costs about as much as the one before, which has a quarter of its pixels (cf. Karras et al.
    2018, arXiv 1710.10196, table 2).
    """
    channels = tuple(channels[:count])
    while len(channels) < count:
        channels += (max(channels[-1] // 2, min(channels[-1], FEWEST)),)
    return channels


def resolved(config) -> ConfigDict:
    """A copy of a configuration in which what follows from `data.size` is filled in.

    A canvas for which no size is named is the whole frame with style animation, else at least half as high
    and wide. A configuration that has come from here comes back as it is.
    """
    config = ConfigDict(config.to_dict()).lock()
    generator, discriminator, size = config.generator, config.discriminator, config.data.size
    whole = doublings(size)
    if not generator.canvas_size:
        least = whole if generator.style_animation else max(whole - 1, 1)
        generator.canvas_size = GRID << min(max(len(generator.painter_channels), least), whole)
    painted = doublings(generator.canvas_size)
    generator.painter_channels = levels(generator.painter_channels, painted)
    discriminator.frame_channels = levels(discriminator.frame_channels[::-1], whole)[::-1]
    if not discriminator.clip_pooling:
        discriminator.clip_pooling = max(size // (CLIP_GRID << len(discriminator.clip_channels)), 1)
    if not config.data.digit_size:
        config.data.digit_size = round(DIGIT_SHARE * size)
    return config
