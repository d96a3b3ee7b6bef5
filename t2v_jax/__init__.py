"""Text-conditioned video GANs in JAX and Flax: type a sentence, get a short video that obeys it.

params = t2v_jax.load("moving-digits")
video = t2v_jax.generate(params, "the digit 5 is moving up and down", seed=0)
t2v_jax.save_video(video, "clip.gif")
"""

import importlib

from t2v_jax.data import tfds_hook

__version__ = "0.1.0"

tfds_hook.install()

# Imported on first use: JAX takes seconds, and the command line answers a wrong flag without it.
_MODULES = {
    "Stream": "sampling",
    "UsageError": "errors",
    "generate": "sampling",
    "load": "model",
    "save": "model",
    "save_video": "video",
}

__all__ = ["__version__", *_MODULES]


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__})
