"""Why the colour of a thing changes from frame to frame: the model as it is, and with one cause held still.

    python experiments/obedience/colors.py --model=moving-shapes

Prints the average colour distance (`scores.color_distances`) with its standard error, and how far a frame's
colour is from the clip's mean, root mean square, in levels of 0 to 255: along it, which is brightness, and
across it, which is hue.
"""

import dataclasses

import jax.numpy as jnp
import numpy as np
from absl import app, flags

import t2v_jax
from t2v_jax.data.source import make_source
from t2v_jax.evaluation import prompts as prompts_of
from t2v_jax.evaluation.scores import color_distances, mean_colors
from t2v_jax.networks.generator import Generator

MODEL = flags.DEFINE_string("model", "moving-shapes", "a shipped model, a saved one, or a training workdir")
CLIPS = 192


class SceneHeldStill(Generator):
    """Each frame paints the first one's scene."""

    def paint(self, states, places, styles):
        """See `Generator.paint`."""
        return super().paint(jnp.broadcast_to(states[0], states.shape), places, styles)


class PlaceHeldStill(Generator):
    """Each frame sets the canvases where the middle one does."""

    def paint(self, states, places, styles):
        """See `Generator.paint`."""
        middle = places[len(places) // 2]
        return super().paint(states, jnp.broadcast_to(middle, places.shape), styles)


class WholePlaces(Generator):
    """Each frame sets the canvases on whole pixels."""

    def paint(self, states, places, styles):
        """See `Generator.paint`."""
        size = self.config.data.size
        return super().paint(states, jnp.round(places * size) / size, styles)


def row(name, clips):
    """A line of the table."""
    of_frames = mean_colors(clips)
    of_clips = of_frames.mean(1, keepdims=True)
    away = of_frames - of_clips
    unit = of_clips / np.linalg.norm(of_clips, axis=-1, keepdims=True)
    along = (away * unit).sum(-1, keepdims=True)
    across = np.linalg.norm(away - along * unit, axis=-1)
    distances = color_distances(clips)
    error = distances.std() / np.sqrt(len(distances))
    spread = [np.sqrt(np.square(part).mean()) for part in (along, across)]
    return f"{name:<18}{distances.mean():8.2f} +- {error:.2f}{spread[0]:9.2f}{spread[1]:9.2f}"


def main(_):
    params = t2v_jax.load(MODEL.value)
    world = make_source(params.config, "test")
    sample = prompts_of.balanced(world, CLIPS)
    prompts = [prompt.text for prompt in sample]
    print(f"{CLIPS} clips{'ACD':>12}{'brightness':>18}{'hue':>5}")
    print(row("real", prompts_of.real_clips(world)(sample, 0, params.config.data.frames)))
    for architecture in (Generator, SceneHeldStill, PlaceHeldStill, WholePlaces):
        changed = dataclasses.replace(params, architecture=architecture)
        print(row(architecture.__name__, np.asarray(t2v_jax.generate(changed, prompts))), flush=True)


if __name__ == "__main__":
    app.run(main)
