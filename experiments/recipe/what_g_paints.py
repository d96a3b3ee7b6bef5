"""Can G paint the two things that a caption of `hidden` names? It learns alone, from icons.

    pip install resvg_py
    npm pack @iconify-json/{noto,twemoji,fluent-emoji-flat,emojione,openmoji}
    python experiments/recipe/what_g_paints.py --icons=. --prepared=DIR --steps=500

The canvas of the first actor is to be the mean icon of what moves, that of the second of what stands. Prints
in how many captions the nearest icon is the right one: of those that it learns from, and of others.
"""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1] / "folders"))

import icons
import jax
import jax.numpy as jnp
import numpy as np
import optax
from absl import app, flags
from reader import CAPTIONS

from t2v_jax import config as configuration
from t2v_jax.data.videos.prepared import PreparedClips
from t2v_jax.networks.generator import Generator
from t2v_jax.text.language import Language
from t2v_jax.training.auto_config import fitted_config

PREPARED = flags.DEFINE_string("prepared", "prepared", "directory of the prepared folder hidden")
STEPS = flags.DEFINE_integer("steps", 500, "of Adam", lower_bound=1)
BATCH, READ, EVERY = 32, 256, 100  # captions of a step, and those that are read every so many steps
PIXELS = 24  # of an icon, in the middle of a canvas
THINGS = list(icons.THINGS)


def canvases(generator, captions, noise):
    """Of the first frame, before they are placed: [b, actors, side, side, 4]."""
    appearance, *inputs = generator.roles(generator.text(captions), noise)
    _, _, motion = generator.motion_rnn(*inputs, 1)
    styles = generator.mapping(appearance.contexts, generator._split(noise)[0])[None]
    styles = generator.style_animation(styles, motion.state)
    states, _ = generator.scene(styles, 1)
    painted = generator.painter(states[0], styles[0])
    return painted.reshape(len(noise), -1, *painted.shape[1:])


def mean_icons(side):
    """Of each thing, over the styles, as G paints: colours in [-1, 1] times opacity, opacity."""
    edge = (side - PIXELS) // 2
    pad = ((edge, edge), (edge, edge), (0, 0))
    return np.stack(
        [np.pad(np.mean([_icon(thing, style) for style in icons.STYLES], 0), pad) for thing in THINGS]
    )


def _icon(thing, style):
    pixels = np.asarray(icons.picture(thing, style, PIXELS), np.float32) / 255
    return np.concatenate([(2 * pixels[..., :3] - 1) * pixels[..., 3:], pixels[..., 3:]], axis=-1)


def things(captions):
    """What moves and what stands: int [n, 2]."""
    named = [CAPTIONS["hidden"].fullmatch(caption) for caption in captions]
    return np.array([[THINGS.index(found[part]) for part in ("thing", "standing")] for found in named])


def main(argv):
    """Trains and tells."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected argument {argv[1]!r}")
    directory = pathlib.Path(PREPARED.value) / "hidden"
    config = configuration.check(fitted_config(directory))
    trained = list(PreparedClips(directory).captions())
    others = [caption for caption in PreparedClips(directory, "test").captions() if caption not in trained]
    language, rng = Language.train(trained), np.random.default_rng(0)
    shown = {
        name: rng.choice(captions, min(READ, len(captions)), replace=False).tolist()
        for name, captions in (("trained", trained), ("others", others))
    }
    network = Generator(config, language.vocabulary_size)
    targets, width = jnp.asarray(mean_icons(config.generator.canvas_size)), config.generator.noise_width
    parameters = network.init(jax.random.key(0), language.encode(trained[:1]), jnp.zeros((1, width)), 1)
    rates = config.optimizer
    adam = optax.adam(
        optax.linear_schedule(0, rates.generator_learning_rate, rates.warmup_steps), rates.beta_1
    )

    def paint(parameters, captions, noise):
        return network.apply(parameters, captions, noise, method=canvases)

    @jax.jit
    def step(parameters, state, noise, captions, wanted):
        def distance(parameters):
            return jnp.square(paint(parameters, captions, noise) - targets[wanted]).mean()

        updates, state = adam.update(jax.grad(distance)(parameters), state)
        return optax.apply_updates(parameters, updates), state

    @jax.jit
    def nearest(parameters, captions):
        painted = paint(parameters, captions, jnp.zeros((len(captions.mask), width)))[:, :, None]
        return jnp.square(painted - targets).mean((3, 4, 5)).argmin(-1)

    state = adam.init(parameters)
    for number in range(1, STEPS.value + 1):
        captions = rng.choice(trained, BATCH, replace=False).tolist()
        noise = rng.standard_normal((BATCH, width), np.float32)
        parameters, state = step(parameters, state, noise, language.encode(captions), things(captions))
        if number % EVERY == 0:
            told = []
            for name, read in shown.items():
                right = (np.asarray(nearest(parameters, language.encode(read))) == things(read)).mean(0)
                told.append(f"{name}: moving {right[0]:.1%}, standing {right[1]:.1%}")
            print(f"step {number}: {'; '.join(told)}", flush=True)


if __name__ == "__main__":
    app.run(main)
