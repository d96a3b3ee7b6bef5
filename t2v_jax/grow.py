"""Start from a smaller model (progressive growing, Karras et al. 2018, arXiv 1710.10196).

Layers are named after the resolution they work at, so a network for larger frames holds the smaller
one's layers under the same names. What is new starts such that it changes nothing: the generator's details
are zero, and the frame judge's first level averages 2 x 2 pixels.
"""

import pathlib

import jax
import jax.numpy as jnp
from flax.traverse_util import flatten_dict, unflatten_dict

from t2v_jax.checkpoint import Checkpoints
from t2v_jax.errors import UsageError
from t2v_jax.model import load_definition
from t2v_jax.nn.discriminator import SLOPE


def grow(state, config, language, workdir):
    """The state at step 0, its networks those of the newest checkpoint in `workdir`, for twice the size.

    The generator grows from the smaller one's average. Raises UsageError where the smaller model has
    another language or size.
    """
    smaller, its_language = load_definition(pathlib.Path(workdir))
    if its_language != language or 2 * smaller.data.size != config.data.size:
        raise UsageError(
            f"{workdir} has frames of {smaller.data.size} pixels and {its_language.vocabulary_size} tokens; "
            f"expected {config.data.size // 2} pixels and the same captions; choose another config.grow_from"
        )
    with Checkpoints(workdir) as checkpoints:
        average = checkpoints.restore_arrays("average")
        discriminator = checkpoints.restore_arrays("training")["discriminator"]
    generator = _with_fitting(state.generator, average)
    return state._replace(
        generator=generator,
        average=jax.tree.map(jnp.copy, generator),
        discriminator=_averaging_first(
            _with_fitting(state.discriminator, discriminator), discriminator, config.data.size
        ),
    )


def _with_fitting(arrays, smaller):
    """`arrays`, those replaced that `smaller` has under the same name in the same shape."""
    arrays, smaller = flatten_dict(arrays), flatten_dict(smaller)
    for name, array in arrays.items():
        if name in smaller and smaller[name].shape == array.shape:
            arrays[name] = jax.device_put(smaller[name], array.sharding)
    return unflatten_dict(arrays)


def _averaging_first(discriminator, smaller, size):
    """The frame judge whose first level hands the averaged frame to the smaller judge's first level.

    A leaky ReLU loses nothing if a pixel p and -p both pass it: p = (f(p) - f(-p)) / (1 + slope).
    """
    trunk = discriminator["params"]["frame_judge"]["trunk"]
    first = trunk[f"down_{size}"]["conv"]["kernel"]
    second = trunk[f"down_{size // 2}"]["conv"]["kernel"]
    old = smaller["params"]["frame_judge"]["trunk"][f"down_{size // 2}"]["conv"]
    averaged = jnp.zeros_like(second)
    for pixel in range(first.shape[2]):
        mean = jnp.zeros(first.shape[:3]).at[1:3, 1:3, pixel].set(0.25)
        for sign, channel in ((1, 2 * pixel), (-1, 2 * pixel + 1)):
            first = first.at[..., channel].set(sign * mean)
            kernel = sign * jnp.asarray(old["kernel"][:, :, pixel]) / (1 + SLOPE)
            averaged = averaged.at[:, :, channel].set(kernel)
    trunk[f"down_{size}"]["conv"]["kernel"] = first
    trunk[f"down_{size // 2}"]["conv"]["kernel"] = averaged
    return discriminator
