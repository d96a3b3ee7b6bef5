"""Train the matcher on the real clips of the split train; README.md has the commands.

python experiments/emoji/train_matcher.py --steps=1000
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
from absl import app, flags
from loops import HELD_OUT, TRAIN, read, words
from matcher import BATCH, Matcher, Trained, count, load, save, spread
from scores import chosen, toned

STEPS = flags.DEFINE_integer("steps", 1000, "of Adam", lower_bound=1)

RATE = 1e-3
FURTHEST = 5  # shift, pixels
STRONGEST_NOISE = 0.15


def disturb(key, clips):
    """What generated clips suffer from: shifted, softened, noisy, of fewer frames that differ."""
    keys = jax.random.split(key, 4)
    shape = (len(clips), 1, 1, 1, 1)
    shifts = jax.random.randint(keys[0], (len(clips), 2), -FURTHEST, FURTHEST + 1)
    clips = jax.vmap(lambda clip, shift: jnp.roll(clip, shift, (1, 2)))(clips, shifts)
    clips = clips + jax.random.uniform(keys[1], shape) * (_blur(clips) - clips)
    deviation = STRONGEST_NOISE * jax.random.uniform(keys[2], shape) ** 2
    return jnp.clip(clips + deviation * jax.random.normal(keys[3], clips.shape), 0, 1)


def _blur(clips):
    """Binomial 5 x 5 filter."""
    for axis in (2, 2, 3, 3):
        clips = (jnp.roll(clips, 1, axis) + 2 * clips + jnp.roll(clips, -1, axis)) / 4
    return clips


def fit(loops, vocabulary, steps):
    """The matcher's arrays: each clip is to choose its own among the captions of all."""
    captions = loops.captions
    counts, network, key = count(captions, vocabulary), Matcher(), jax.random.key(0)
    clips = spread(loops.clips)
    arrays = network.init(key, clips[:2] / 255, counts)["params"]
    rate = optax.warmup_cosine_decay_schedule(0, RATE, steps // 20 + 1, steps + 1)
    optimizer = optax.adamw(rate, weight_decay=1e-3)

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def step(arrays, state, key, clips, rows):
        def loss(arrays):
            scores = network.apply({"params": arrays}, disturb(key, clips / 255), counts)
            return optax.softmax_cross_entropy_with_integer_labels(scores, rows).mean()

        value, gradient = jax.value_and_grad(loss)(arrays)
        updates, state = optimizer.update(gradient, state, arrays)
        return optax.apply_updates(arrays, updates), state, value

    state, rng = optimizer.init(arrays), np.random.default_rng(0)
    for number in range(steps):
        rows = rng.choice(len(clips), BATCH // 2, replace=False)
        arrays, state, value = step(arrays, state, jax.random.fold_in(key, number), clips[rows], rows)
        if number % 100 == 0:
            print(f"step {number}: loss {value:.3f}", flush=True)
    return jax.device_get(arrays)


def measure(matcher, loops, captions):
    """How well it does on real clips."""
    places = {text: place for place, text in enumerate(captions)}
    right = [places[text] for text in loops.captions]
    found = chosen(matcher(loops.clips, captions), right, np.random.default_rng(0))
    tones = toned(matcher, loops.clips, loops.names, loops.tones)
    return f"{len(right)} clips, right among 64: {found.mean():.1%}, tone: {tones.mean():.1%}"


def main(_):
    trained, held_out = read(TRAIN), read(HELD_OUT)
    vocabulary = sorted({word for text in trained.captions for word in words(text)})
    save(Trained(fit(trained, vocabulary, STEPS.value), vocabulary))
    matcher, captions = load(), trained.captions + held_out.captions
    print(f"real clips, trained: {measure(matcher, trained, captions)}")
    print(f"real clips, held out: {measure(matcher, held_out, captions)}")


if __name__ == "__main__":
    app.run(main)
