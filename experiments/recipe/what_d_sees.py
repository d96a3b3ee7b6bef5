"""Does D see what captions name? It learns alone, from real clips with right and wrong captions.

    python experiments/recipe/what_d_sees.py --prepared=DIR --world=pans --part=direction --steps=400

Prints how often, of held-back clips, each discriminator gives the right caption a higher score than those
that name another value of this part. `--noflow` takes the flow away from them.
"""

import functools
import operator
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import optax
from absl import app, flags
from reader import CAPTIONS, KINDS
from worlds import FOLDERS

from t2v_jax import config as configuration
from t2v_jax import registry
from t2v_jax.data.pipeline import clip_batches
from t2v_jax.data.videos.prepared import PreparedClips
from t2v_jax.gan.gradients import Seen, things_of, to_unit_range
from t2v_jax.gan.losses import mismatched, wrong_captions
from t2v_jax.gan.sampling import Frames, sample_frames
from t2v_jax.networks import discriminator
from t2v_jax.nn.statistics import groups
from t2v_jax.text.language import Language
from t2v_jax.training.auto_config import fitted_config

PREPARED = flags.DEFINE_string("prepared", "prepared", "directory of the prepared folders, by their names")
WORLD = flags.DEFINE_enum("world", "pans", FOLDERS, "what it learns from")
STEPS = flags.DEFINE_integer("steps", 400, "of Adam", lower_bound=1)
PART = flags.DEFINE_enum("part", "direction", KINDS, "of the captions that D is to tell apart")
FLOW = flags.DEFINE_bool("flow", True, "whether it sees the flow between frames")
STAGES = {  # of training: frames computed, painted and scored, and which of the clips held back are seen
    "few": (Frames(8, 2, 2), np.array([0, 5])),
    "whole": (Frames(16, 5, 2), np.array([0, 4, 8, 11, 15])),
}
STAGE = flags.DEFINE_enum("stage", "few", list(STAGES), "how many frames it sees")
DISCRIMINATORS = "frame", "clip", "moving", "thing"  # in the order of their logits
FRAMES = np.arange(2)  # of those that are seen, what the frame discriminator scores
CLIPS = 16  # of a batch held back


def learner(network, config, frames):
    """A step: parameters, Adam's state, a key, a batch -> parameters and state after it."""
    adam = optax.adam(config.optimizer.discriminator_learning_rate, config.optimizer.beta_1)
    loss = registry.resolve("loss", config.loss.kind).discriminator

    def of_wrong_captions(parameters, key, batch):
        painted, scored = sample_frames(key, frames)
        captions = jax.tree.map(lambda *parts: jnp.concatenate(parts), batch["captions"], batch["negatives"])
        clips = to_unit_range(batch["clip"])
        things = things_of(config, frames.scored, clips)
        logits = network.apply(parameters, clips[:, painted], captions, scored, things).logits
        classes = (groups(batch[name], len(clips)) for name in ("caption_class", "negative_classes"))
        return sum(mismatched(loss, logits, wrong).mean() for wrong in jax.vmap(wrong_captions)(*classes))

    @jax.jit
    def step(parameters, state, key, batch):
        updates, state = adam.update(jax.grad(of_wrong_captions)(parameters, key, batch), state)
        return optax.apply_updates(parameters, updates), state

    return adam.init, step


def with_other_values(caption, pattern, values):
    """A caption, then the same with each of the other values of the part."""
    first, last = pattern.fullmatch(caption).span(PART.value)
    others = [value for value in values if value != caption[first:last]]
    return [caption, *(caption[:first] + other + caption[last:] for other in others)]


def right(scores, seen, captions, language, pattern):
    """Of each discriminator, how many of the clips `seen` have the highest score with their own caption."""
    values = sorted({pattern.fullmatch(caption)[PART.value] for caption in captions})
    found = []
    for first in range(0, len(captions) - CLIPS + 1, CLIPS):
        rows = slice(first, first + CLIPS)
        told = [with_other_values(caption, pattern, values) for caption in captions[rows]]
        encoded = language.encode([row[0] for row in told] + [other for row in told for other in row[1:]])
        logits = np.asarray(scores(jax.tree.map(operator.itemgetter(rows), seen), encoded))[:, 0]
        own = np.diagonal(logits[..., :CLIPS], axis1=1, axis2=2)
        others = logits[..., CLIPS:].reshape(*logits.shape[:2], CLIPS, -1)
        found.append(own > others[:, range(CLIPS), range(CLIPS)].max(-1))
    return np.mean(found, axis=(0, 2))


def seen_of(config, clips):
    """What D sees of whole clips, uint8 [b, t, h, w, c]."""
    clips = to_unit_range(clips)
    return Seen(clips, things_of(config, len(FRAMES), clips))


def scorer(network, shown):
    """(D's parameters, `Seen` with whole clips, captions) -> logits, of the frames `shown`."""

    @jax.jit
    def scores(parameters, seen, captions):
        return network.apply(parameters, seen.clips[:, shown], captions, FRAMES, seen.things).logits

    return scores


def tell(what, shares):
    """Prints the share of each discriminator."""
    print(f"{what}:", *(f"{name} {share:.1%}" for name, share in zip(DISCRIMINATORS, shares)), flush=True)


def main(argv):
    """Trains and tells."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected argument {argv[1]!r}")
    if not FLOW.value:
        discriminator.normal_flow = lambda before, after: jnp.zeros_like(before[..., :2])
    frames, shown = STAGES[STAGE.value]
    directory = pathlib.Path(PREPARED.value) / WORLD.value
    config = configuration.check(fitted_config(directory))
    source = PreparedClips(directory, clips_per_caption=config.data.clips_per_caption)
    held_back = PreparedClips(directory, "test")
    language = Language.train(source.captions())
    network = discriminator.Discriminator(config, language.vocabulary_size)
    batches = clip_batches(source, language, config.batch_size)
    first = next(batches)
    parameters = network.init(
        jax.random.key(0), to_unit_range(first["clip"])[:, shown], first["captions"], FRAMES
    )
    initial, step = learner(network, config, frames)
    state, test = initial(parameters), held_back.batch(range(len(held_back)))
    asked = seen_of(config, test["clip"]), test["caption"], language, CAPTIONS[WORLD.value]
    scores = scorer(network, shown)
    for number in range(1, STEPS.value + 1):
        parameters, state = step(parameters, state, jax.random.key(number), next(batches))
        if number % 100 == 0:
            tell(f"step {number}", right(functools.partial(scores, parameters), *asked))


if __name__ == "__main__":
    app.run(main)
