"""Text-conditioned video GANs in JAX and Flax: type a sentence, get a short video that obeys it.

params = t2v_jax.load("moving-digits")
video = t2v_jax.generate(params, "the digit 5 is moving up and down", seed=0)
video.save("clip.gif")
"""

import importlib

__version__ = "0.2.0"

# Imported on first use: JAX takes seconds, and the command line answers a wrong flag without it.
_MODULES = {
    "Stream": "inference.stream",
    "UsageError": "errors",
    "Video": "inference.video_array",
    "explain": "inference.explanation",
    "generate": "inference.generation",
    "load": "inference.model",
    "save": "inference.model",
    "save_video": "inference.video",
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
