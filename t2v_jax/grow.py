"""Start from a smaller model (progressive growing, Karras et al. 2018, arXiv 1710.10196).

Layers are named after the resolution they work at, so a network for larger frames holds the smaller
one's layers under the same names; only the layers of the new resolution start afresh.
"""

import pathlib

import jax
from flax.traverse_util import flatten_dict, unflatten_dict

from t2v_jax.checkpoint import Checkpoints
from t2v_jax.errors import UsageError
from t2v_jax.model import load_definition


def grow(state, language, workdir):
    """The state at step 0 with all arrays that fit from the newest checkpoint in `workdir`.

    The generator grows from the smaller one's average. Raises UsageError where the smaller model has
    another language.
    """
    _, smaller = load_definition(pathlib.Path(workdir))
    if smaller != language:
        raise UsageError(f"{workdir} has another language; grow from a model of the same captions")
    with Checkpoints(workdir) as checkpoints:
        average = checkpoints.restore_arrays("average")
        discriminator = checkpoints.restore_arrays("training")["discriminator"]
    generator = _with_fitting(state.generator, average)
    return state._replace(
        generator=generator,
        average=jax.tree.map(lambda leaf: leaf.copy(), generator),
        discriminator=_with_fitting(state.discriminator, discriminator),
    )


def _with_fitting(arrays, smaller):
    """`arrays`, those replaced that `smaller` has under the same name in the same shape."""
    arrays, smaller = flatten_dict(arrays), flatten_dict(smaller)
    for name, array in arrays.items():
        if name in smaller and smaller[name].shape == array.shape:
            arrays[name] = jax.device_put(smaller[name], array.sharding)
    return unflatten_dict(arrays)
