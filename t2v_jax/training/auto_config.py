"""The configuration for prepared clips for which nobody chose fields: it is read from the clips."""

import os

import jax
import numpy as np
from ml_collections import ConfigDict

from t2v_jax import config as configuration
from t2v_jax.config.checks import RANGES
from t2v_jax.data.source import ClipSource, read_batch
from t2v_jax.data.videos.prepared import PreparedClips
from t2v_jax.text.words import fold_case, split_words

LOOKED_AT = 256  # clips, at most
TOGETHER = 4  # clips of a caption that are compared
FEW = 500  # clips that a discriminator would learn by heart
LOOKS = 2_000  # steps in which a CPU learns looks
MINUTES = 60.0
HALF = 0.5  # of the frame's side: what moves fits into a canvas of half the frame
NEAR = 16  # levels by which a colour may differ and still count as the same
ALIKE = 0.3  # how far clips of a caption that says it all are apart, as a share of those of others
MOST = 0.9  # of the borders' pixels, of the frames
RIDGE, EXPLAINED = 10.0, 0.1  # of a regression: its penalty, and the least share of the variance


def fitted_config(directory: str | os.PathLike) -> ConfigDict:
    """The configuration of a run on what `t2v data prepare` made; any field may be changed.

    Read from the clips: their shape, the brightness of the background, how many there are and how many of one
    caption, how many words. Raises UsageError where there are no such clips.
    """
    config = configuration.default()
    config.minutes, config.steps = MINUTES, 1_000_000
    config.log_every, config.checkpoint_every, config.sample_every = 50, 500, 500
    config.data.world, config.data.directory = "clips", str(directory)
    return fit(config, PreparedClips(directory), PreparedClips(directory, clips_per_caption=2))


def fit(config: ConfigDict, source: ClipSource, paired: ClipSource) -> ConfigDict:
    """Set in `config`, and return it, what can be read from the clips of `source`, its data.

    paired: the same clips, two of a caption side by side.
    """
    captions = source.captions()
    clips, of_clips = _some(source, 1)
    clips = clips[:, 0]
    _fit_data(config.data, clips)
    _fit_text(config.text, captions)
    _fit_networks(config, clips, of_clips)
    decided = captions_decide(_some(paired, 2)[0])
    _fit_training(config, getattr(source, "clips", len(source)), len(captions), decided)
    return config


def _some(source, together):
    """Clips of a source, evenly spread, so many together as they stand: [n, together, t, h, w, c].

    And the captions of all.
    """
    groups = len(source) // together
    firsts = np.linspace(0, groups - 1, min(LOOKED_AT // together, groups)).astype(int) * together
    batch = read_batch(source, np.add.outer(firsts, np.arange(together)).ravel())
    return batch["clip"].reshape(-1, together, *batch["clip"].shape[1:]), batch["caption"]


def brightness_of_background(clips: np.ndarray) -> float:
    """What the borders of most frames show, in [-1, 1]: clips uint8 [n, t, h, w, c]."""
    colour = np.median(_borders(clips), axis=(0, 1))
    return round(float(colour.mean()) / 127.5 - 1, 3)


def is_plain(clips: np.ndarray) -> bool:
    """Whether nearly all that the borders of all clips show is one colour: clips uint8 [n, t, h, w, c]."""
    borders = _borders(clips)
    return _mostly(borders, np.median(borders, axis=(0, 1)))


def each_is_plain(clips: np.ndarray) -> bool:
    """Whether the borders of each clip show one colour, its own: clips uint8 [n, t, h, w, c]."""
    return _mostly(_borders(clips), _colours(clips)[:, None])


def backgrounds(clips: np.ndarray, plain: bool) -> np.ndarray:
    """What is behind what moves: clips uint8 [n, t, h, w, c] -> [n, h, w, c].

    Where each is `plain` that is its colour, which a thing may hide most of the time; else it is what the
    clip shows most of the time.
    """
    if plain:
        return np.broadcast_to(_colours(clips)[:, None, None], clips[:, 0].shape)
    return np.median(clips, axis=1)


def moving_share(clips: np.ndarray, still: np.ndarray) -> float:
    """The side, as a share of the frame's, of a square that holds what moves, in most frames.

    What moves differs from what is `still`, their `backgrounds`. clips: uint8 [n, t, h, w, c].
    """
    moves = (np.abs(clips - still[:, None]).max(-1) > 2 * NEAR).reshape(-1, *clips.shape[2:4])
    sides = [_extent(moves.any(axis)) for axis in (1, 2)]
    sides = np.max(sides, axis=0)
    return float(np.quantile(sides[sides > 0], MOST)) / clips.shape[2] if sides.any() else 1.0


def captions_decide(pairs: np.ndarray) -> bool:
    """Whether a caption says nearly all that its clips show: uint8 [n, 2, t, h, w, c], two of each caption.

    It does where these differ far less from each other than from those of other captions, and where no
    caption has two.
    """
    first, second = pairs.astype(np.float32).swapaxes(0, 1)
    own, others = (
        np.abs(first - other).mean((1, 2, 3, 4))
        for other in (second, np.roll(second, len(second) // 2, axis=0))
    )
    several = own > 0  # a caption with one clip has it twice
    return not several.any() or own[several].mean() < ALIKE * others[several].mean()


def captions_tell_backgrounds(still: np.ndarray, captions: list[str]) -> bool:
    """Whether the words of captions tell what is `still` in their clips, [n, h, w, c].

    A ridge regression from words to colours, of half of the clips, must explain a part of those of the
    others.
    """
    said = [_words(caption) for caption in captions]
    known = sorted(set().union(*said))
    words = np.array([[word in caption for word in known] for caption in said], np.float32)
    colours = _coarse(still)
    order = np.random.default_rng(0).permutation(len(still))  # clips that stand side by side may be alike
    learnt, held_back = order[::2], order[1::2]
    words, colours = words - words[learnt].mean(0), colours - colours[learnt].mean(0)
    squares = words[learnt].T @ words[learnt] + RIDGE * np.eye(len(known))
    expected = words[held_back] @ np.linalg.solve(squares, words[learnt].T @ colours[learnt])
    errors = ((colours[held_back] - expected) ** 2).sum()
    return bool(errors < (1 - EXPLAINED) * (colours[held_back] ** 2).sum())


def _coarse(images):
    """The mean colours of 4 x 4 parts of images [n, h, w, c]: [n, 16 c]."""
    size = images.shape[1] // 4
    parts = images[:, : 4 * size, : 4 * size].reshape(len(images), 4, size, 4, size, -1)
    return parts.mean((2, 4)).reshape(len(images), -1)


def _borders(clips):
    """The pixels of the borders of each clip's frames, [n, pixels, c]."""
    sides = clips[:, :, :, [0, -1]], clips[:, :, [0, -1]]
    return np.concatenate([part.reshape(len(clips), -1, clips.shape[-1]) for part in sides], axis=1)


def _colours(clips):
    """The colour of each clip's borders: [n, c]."""
    return np.median(_borders(clips), axis=1)


def _mostly(pixels, colour):
    """Whether nearly all pixels have a colour."""
    return float((np.abs(pixels - colour).max(-1) <= NEAR).mean()) >= MOST


def _extent(present):
    """From the first to the last that is present: bool [n, pixels] -> int [n], 0 for none."""
    first, last = present.argmax(1), present.shape[1] - present[:, ::-1].argmax(1)
    return np.where(present.any(1), last - first, 0)


def describe(config) -> str:
    """What was read from the clips, in one line."""
    data, generator = config.data, config.generator
    facts = [
        f"{data.frames} frames of {data.size} x {data.size} x {data.channels}",
        f"background {_background(config)}",
        f"{generator.actors} x {generator.canvas_size} pixels that move",
        f"batches of {config.batch_size}, {data.clips_per_caption} of a caption",
        f"reconstruction {config.loss.reconstruction_weight:g}",
        f"augmentation {', '.join(config.discriminator.augment) or 'none'}",
    ]
    return f"read from {data.directory}: {', '.join(facts)}; --config.FIELD=VALUE changes any"


def _background(config):
    if not config.generator.picture:
        return f"{config.data.background:g}"
    told = "that captions tell" if config.generator.captioned_picture else "of which captions tell nothing"
    return f"a picture {told}"


def _fit_data(data, clips):
    data.frames, data.size, _, data.channels = clips.shape[1:]
    data.background = brightness_of_background(clips)


def _words(caption):
    return [fold_case(word) for word in split_words(caption)]


def _fit_text(text, captions):
    words = [_words(caption) for caption in captions]
    text.vocabulary_size = max(text.vocabulary_size, 2 * len({word for caption in words for word in caption}))
    _, most = RANGES["text.max_tokens"]  # as many as any sentence can have
    text.max_tokens = min(max(text.max_tokens, 2 * max(map(len, words))), most)


def _fit_networks(config, clips, captions):
    """Canvases that are painted again in each frame, and moved: for sprites as well as pictures.

    Of the whole frame, or of half of it where nothing larger moves; over one colour, or before a picture over
    which a camera moves. What moves before a picture is not its matter: it knows the caption where the frame
    is one whole, or where captions tell how it looks.
    """
    generator, size = config.generator, config.data.size
    generator.painter_channels = (48, 32, 16)
    generator.update(hard_attention=False, heads=4, style_animation=True, blur_upsample=True)
    generator.update(style_width=192, scene_channels=48)
    plain = each_is_plain(clips)
    still = backgrounds(clips, plain)
    small = size > 16 and moving_share(clips, still) <= HALF
    generator.canvas_size = size // 2 if small else size
    generator.soft_edges = small
    generator.picture = not is_plain(clips)
    generator.captioned_picture = not (small and generator.picture) or captions_tell_backgrounds(
        still, captions
    )
    before_picture = small and not plain
    generator.actors = 2 if before_picture else 1
    config.discriminator.moving = before_picture
    config.discriminator.frame_channels = (24, 48, 96)


def _fit_training(config, clips, captions, decided):
    frames, on_cpu = config.data.frames, jax.default_backend() == "cpu"
    # A CPU takes two to three times as long for frames of twice the side (experiments/speed/growth.json).
    many = max(32 * 64 // config.data.size, 8) if on_cpu else 64
    config.batch_size = many if clips >= FEW else 8
    config.optimizer.update(beta_1=0.5, ema_decay=0.999)
    config.loss.update(penalty_weight=0.1, final_penalty_weight=0.02)
    if config.discriminator.moving:
        config.loss.balance = 0.3  # photographs are told from what G paints at a glance
    config.schedule.max_start_offset = 0
    # Where a caption means one clip, G learns how far off it is; where it means many, how they differ.
    config.loss.reconstruction_weight = 30.0 if decided else 0.0
    varied = not decided and clips >= FEW
    config.loss.energy_weight = 1.0 if varied else 0.0
    config.data.clips_per_caption = TOGETHER if varied and clips >= TOGETHER * captions else 1
    config.discriminator.augment = ("translation", "cutout") if clips < FEW else ()
    whole = frames, min(frames, 5), min(frames, 2)
    # What moves stands out from the mean of three frames, of two there are ghosts.
    few = min(frames, 8), min(frames, 3 if config.discriminator.moving else 2), min(frames, 2)
    # A CPU learns looks from few frames first, several times as many clips a second. How a whole frame moves,
    # or a thing before a picture, is learnt sooner from all.
    small = 0 < config.generator.canvas_size < config.data.size
    looks = LOOKS if small and not config.generator.picture else LOOKS // 2
    config.schedule.stages = ((0, *few), (looks, *whole)) if on_cpu else ((0, *whole),)
