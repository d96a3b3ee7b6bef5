"""Clips without a seam: their last frame leads to their first."""

from t2v_jax.errors import UsageError
from t2v_jax.inference import model
from t2v_jax.inference.generation import generate

# Periods left out: the first begins from noise. Of eleven sentences of the shipped models that repeat, frame
# 16 differs from frame 0 by 4 to 39 levels of 255 in the mean, and frame 64 from frame 48 by 0.1 to 0.8.
SETTLING = 3


def loops(config) -> bool:
    """Whether clips repeat: what moves in place does, by the clock of style animation, after the training
    length. A thing on a canvas smaller than the frame goes away instead.
    """
    return config.generator.style_animation and config.generator.canvas_size == config.data.size


def check_loop(params, name: str, frames: int) -> None:
    """Raises UsageError where the clips of a model do not repeat, or not after so many frames."""
    period = params.config.data.frames
    if not loops(params.config):
        shipped = (each for each in model.shipped() if loops(model.load_definition(model.SHIPPED / each)[0]))
        raise UsageError(
            f"the clips of {name} do not repeat, as --loop needs; those of {', '.join(shipped)} do, and of "
            "models trained with config.generator.style_animation=True on canvases of the whole frame"
        )
    if frames % period:
        raise UsageError(f"--frames={frames}; a loop of {name} needs a multiple of {period}")


def paint_loop(params, prompt: str, seed: int, frames: int):
    """`generate`, but frames from the middle of a long clip, where they repeat after a period."""
    start = SETTLING * params.config.data.frames
    return generate(params, prompt, seed, start + frames)[start:]
