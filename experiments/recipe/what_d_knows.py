"""What does D of a run know: of real clips held back, and of what G paints?

    python experiments/recipe/what_d_knows.py --prepared=DIR --world=hidden --part=thing --workdir=RUN

Prints how often each discriminator gives the right caption a higher score than those that name another
value of this part. Where D sees what moves by itself, G's clips are scored twice: with what is cut out of
them, as of real ones, and with what their first actor paints, as in training.
"""

import functools
import pathlib

import jax
import numpy as np
from absl import app, flags
from reader import CAPTIONS
from what_d_sees import CLIPS, FRAMES, PREPARED, STAGES, WORLD, right, scorer, seen_of, tell

from t2v_jax.data.videos.prepared import PreparedClips
from t2v_jax.gan.gradients import Seen
from t2v_jax.inference.generation import sample_noise, to_bytes
from t2v_jax.inference.model import load_networks
from t2v_jax.networks.discriminator import Discriminator

WORKDIR = flags.DEFINE_string("workdir", None, "of the run", required=True)


def painted(model, captions):
    """What G paints for captions: clips uint8 [b, t, h, w, c], and what moves in them or None."""
    config, parts = model.config, []

    @jax.jit
    def paint(captions, noise):
        output = model.network.apply(model.generator, captions, noise, config.data.frames)
        return to_bytes(output.clips), output.things

    for first in range(0, len(captions), CLIPS):
        encoded = model.language.encode(captions[first : first + CLIPS])
        parts.append(paint(encoded, sample_noise(model, 0, np.arange(first, first + CLIPS))))
    return jax.tree.map(lambda *parts: np.concatenate(parts), *parts)


def main(argv):
    """Tells."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected argument {argv[1]!r}")
    model, parameters = load_networks(WORKDIR.value)
    config, language, pattern = model.config, model.language, CAPTIONS[WORLD.value]
    held_back = PreparedClips(pathlib.Path(PREPARED.value) / WORLD.value, "test")
    test = held_back.batch(range(len(held_back) // CLIPS * CLIPS))
    captions = test["caption"]
    _, shown = STAGES["whole"]
    network = Discriminator(config, language.vocabulary_size)
    scores = functools.partial(scorer(network, shown), parameters)
    tell("real clips", right(scores, seen_of(config, test["clip"]), captions, language, pattern))
    clips, things = painted(model, captions)
    seen = seen_of(config, clips)
    tell("generated clips", right(scores, seen, captions, language, pattern))
    if config.discriminator.moving:
        seen = Seen(seen.clips, things[:, shown[FRAMES]])
        tell("what the first actor paints", right(scores, seen, captions, language, pattern))


if __name__ == "__main__":
    app.run(main)
