"""From prompts to videos: `generate`."""

import functools
import operator
import warnings
from collections.abc import Sequence

import flax.errors
import jax
import jax.numpy as jnp
import numpy as np

from t2v_jax.errors import UsageError
from t2v_jax.inference.video_array import Video
from t2v_jax.runtime.jit import BackendJit
from t2v_jax.runtime.memory import check_fits
from t2v_jax.runtime.sharding import batch_sharding
from t2v_jax.text.understanding import understand


class OtherWords(UserWarning):
    """A prompt is read with other words of the same meaning, or is far from all that the model saw."""


class UnknownWord(UserWarning):
    """A prompt has a word that the model never saw, which is left out."""


LARGEST_BATCH = 64  # prompts painted at once; more are painted batch by batch
BYTES_A_PIXEL = 64  # that painting takes at least: 78 of the digits' model, 140 of the emoji's


def generate(params, prompts: str | Sequence[str], seed: int = 0, frames: int | None = None):
    """Videos that obey the prompts.

    A prompt gives uint8 [frames, height, width, channels], a sequence of n prompts uint8
    [n, frames, height, width, channels]; values 0 to 255. Video i depends on its prompt, the seed and i
    alone: not on the other prompts, nor on the number of devices, but for rounding (at most one
    level in 255). The array is a `Video`, but a JAX array where `generate` is part of a jitted function.
    `frames` is the training length by default and may exceed it. Compiles once per
    number of frames and power of two of prompts. `seed` is 0 to 2^32 - 1. Raises UsageError for a
    prompt or number out of range. Warns of what it reads otherwise than it is written (OtherWords), and of
    words that the model never saw (UnknownWord): it paints what the others say (text/understanding.py).
    """
    if isinstance(prompts, str):
        return generate(params, [prompts], seed, frames)[0]
    if not isinstance(prompts, (Sequence, np.ndarray)):
        raise UsageError(f"expected a sentence or a sequence of sentences, got {type(prompts).__name__}")
    if not len(prompts):
        raise UsageError("no prompts; expected a sentence or a sequence of sentences")
    frames = _checked_frames(params, len(prompts), frames)
    seed = checked_seed(seed)
    captions = encode(params.language, prompts)
    batches = [
        _paint_padded(params, captions, seed, start, frames)
        for start in range(0, len(prompts), LARGEST_BATCH)
    ]
    clips = batches[0] if len(batches) == 1 else jnp.concatenate(batches)
    return clips if isinstance(clips, jax.core.Tracer) else np.array(clips).view(Video)


def checked_seed(seed):
    """A seed as a number of JAX; one that JAX traces, as under `jax.jit`, is taken as it is."""
    if not isinstance(seed, jax.core.Tracer):
        seed = _whole("seed", seed, 0, 2**32 - 1)
    return jnp.uint32(seed)


def _checked_frames(params, prompts, frames):
    data = params.config.data
    frames = _whole("frames", data.frames if frames is None else frames, 1, 2**31 - 1)
    needed = BYTES_A_PIXEL * min(prompts, LARGEST_BATCH) * frames * data.size**2
    check_fits(needed, lambda: f"frames={frames}")
    return frames


def _whole(name, number, low, high):
    """A number as an int. UsageError where it is none, or out of range."""
    try:
        whole = operator.index(number)
    except TypeError as error:
        raise UsageError(f"{name}={number!r}; expected a whole number") from error
    if not low <= whole <= high:
        raise UsageError(f"{name}={whole}; expected {low} to {high}")
    return whole


def encode(language, prompts):
    """The captions of what is understood of prompts, after a warning of what is not as they say."""
    understood = [understand(language, prompt) for prompt in prompts]
    captions = language.encode([understanding.sentence for understanding in understood])
    for line, understanding in {str(each): each for each in understood}.items():
        if line:
            kind = UnknownWord if understanding.unknown else OtherWords
            warnings.warn(line, kind, stacklevel=3)
    return captions


def _paint_padded(params, captions, seed, start, frames):
    """One batch, padded to a power of two by repeating its last prompt."""
    rows = range(start, min(start + LARGEST_BATCH, len(captions.mask)))
    padded = 1 << (len(rows) - 1).bit_length()
    picked = [*rows, *[rows[-1]] * (padded - len(rows))]
    batch = _shared_out(params, type(captions)(*(field[picked] for field in captions)))
    try:
        clips = _paint(params, batch, seed, start, frames=frames)
    except flax.errors.FlaxError as error:
        reason = str(error).split("\n")[0]
        raise UsageError(f"the model's weights do not fit its configuration: {reason}") from error
    return clips[: len(rows)]


def _shared_out(params, captions):
    """The captions, laid over the data axis of the mesh that the params are on, if there is one they fill."""
    mesh = getattr(getattr(jax.tree.leaves(params)[0], "sharding", None), "mesh", None)
    if mesh is None or len(captions.mask) % mesh.shape.get("data", len(captions.mask) + 1):
        return captions
    return jax.device_put(captions, batch_sharding(mesh))


@functools.partial(BackendJit, static_argnames="frames")
def _paint(params, captions, seed, first, frames):
    """Captions of prompts first, first + 1, ... -> uint8 clips."""
    noise = sample_noise(params, seed, first + jnp.arange(len(captions.mask)))
    return to_bytes(params.network.apply(params.generator, captions, noise, frames).clips)


def sample_noise(params, seed, places):
    """z of the videos at some places of the list of prompts: int [n] -> [n, noise_width]."""
    keys = jax.vmap(jax.random.fold_in, (None, 0))(jax.random.key(seed), places)
    width = params.config.generator.noise_width
    return jax.vmap(lambda key: jax.random.normal(key, (width,)))(keys)


def to_bytes(clips):
    """Pixels in [-1, 1] to uint8 [0, 255], rounded."""
    return jnp.round(jnp.clip(clips * 127.5 + 127.5, 0, 255)).astype(jnp.uint8)
