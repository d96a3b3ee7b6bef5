"""The configuration for prepared clips for which nobody chose fields: it is read from the clips."""

import os

import jax
import numpy as np
from ml_collections import ConfigDict

from t2v_jax import config as configuration
from t2v_jax.data.source import ClipSource, read_batch
from t2v_jax.data.videos.prepared import PreparedClips
from t2v_jax.text.words import fold_case, split_words

LOOKED_AT = 256  # clips, at most
FEW = 500  # clips that a discriminator would learn by heart
LOOKS = 1_000  # steps in which a CPU learns looks
MINUTES = 60.0


def fitted_config(directory: str | os.PathLike) -> ConfigDict:
    """The configuration of a run on what `t2v data prepare` made; any field may be changed.

    Read from the clips: their shape, the brightness of the background, how many there are and how many of one
    caption, how many words. Raises UsageError where there are no such clips.
    """
    config = configuration.default()
    config.minutes, config.steps = MINUTES, 1_000_000
    config.log_every, config.checkpoint_every, config.sample_every = 50, 500, 500
    config.data.world, config.data.directory = "clips", str(directory)
    return fit(config, PreparedClips(directory))


def fit(config: ConfigDict, source: ClipSource) -> ConfigDict:
    """Set in `config`, and return it, what can be read from the clips of `source`, its data."""
    captions = source.captions()
    _fit_data(config.data, source)
    _fit_text(config.text, captions)
    _fit_networks(config)
    _fit_training(config, getattr(source, "clips", len(source)), len(captions))
    return config


def brightness_of_background(clips: np.ndarray) -> float:
    """What the borders of most frames show, in [-1, 1]: clips uint8 [n, t, h, w, c]."""
    top_bottom = clips[:, :, [0, -1]].reshape(-1, clips.shape[-1])
    sides = clips[:, :, :, [0, -1]].reshape(-1, clips.shape[-1])
    colour = np.median(np.concatenate([top_bottom, sides]), axis=0)
    return round(float(colour.mean()) / 127.5 - 1, 3)


def describe(config) -> str:
    """What was read from the clips, in one line."""
    data = config.data
    facts = [
        f"{data.frames} frames of {data.size} x {data.size} x {data.channels}",
        f"background {data.background:g}",
        f"batches of {config.batch_size}",
        f"reconstruction {config.loss.reconstruction_weight:g}",
        f"augmentation {', '.join(config.discriminator.augment) or 'none'}",
    ]
    return f"read from {data.directory}: {', '.join(facts)}; --config.FIELD=VALUE changes any"


def _fit_data(data, source):
    chosen = np.linspace(0, len(source) - 1, min(LOOKED_AT, len(source))).astype(int)
    clips = read_batch(source, chosen)["clip"]
    data.frames, data.size, _, data.channels = clips.shape[1:]
    data.background = brightness_of_background(clips)


def _fit_text(text, captions):
    words = [list(map(fold_case, split_words(caption))) for caption in captions]
    text.vocabulary_size = max(text.vocabulary_size, 2 * len({word for caption in words for word in caption}))
    text.max_tokens = max(text.max_tokens, 2 * max(map(len, words)))


def _fit_networks(config):
    """Canvases of the whole frame, painted again in each, and moved: for sprites as well as pictures."""
    generator = config.generator
    generator.painter_channels = (48, 32, 16)
    generator.update(hard_attention=False, heads=4, style_animation=True, blur_upsample=True)
    generator.update(style_width=192, scene_channels=48)
    config.discriminator.frame_channels = (24, 48, 96)


def _fit_training(config, clips, captions):
    frames, on_cpu = config.data.frames, jax.default_backend() == "cpu"
    # A CPU takes two to three times as long for frames of twice the side (experiments/speed/growth.json).
    many = max(32 * 64 // config.data.size, 8) if on_cpu else 64
    config.batch_size = many if clips >= FEW else 8
    config.optimizer.update(beta_1=0.5, ema_decay=0.999)
    config.loss.update(penalty_weight=1.0, final_penalty_weight=0.1)
    config.schedule.max_start_offset = 0
    # Where a caption means one clip, G learns how far off it is.
    config.loss.reconstruction_weight = 30.0 if clips < 2 * captions else 0.0
    config.discriminator.augment = ("translation", "cutout") if clips < FEW else ()
    whole = frames, min(frames, 5), min(frames, 2)
    few = min(frames, 8), min(frames, 2), min(frames, 2)
    # A CPU learns looks from few frames first, several times as many clips a second.
    config.schedule.stages = ((0, *few), (LOOKS, *whole)) if on_cpu else ((0, *whole),)
