"""Trains the digit judge and writes t2v_jax/assets/judges/digits.npz; README.md has the numbers.

python experiments/judges/train.py --directory=package/data
"""

import functools
import pathlib
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
from absl import app, flags
from flax.traverse_util import flatten_dict

from t2v_jax.data.digits import SIZE, load_digits
from t2v_jax.data.moving_digits import MovingDigits
from t2v_jax.evaluation import judge

_DIRECTORY = flags.DEFINE_string("directory", None, "MNIST's IDX files; default: shipped subset.")
_OUTPUT = flags.DEFINE_string("output", "t2v_jax/assets/judges/digits.npz", "The file to write.")
_STEPS = flags.DEFINE_integer("steps", 3000, "Steps of Adam.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of parameters, order and augmentation.")

BATCH = 64
RATE = 3e-3
SCALE = (0.85, 1.15)  # of a digit's side, times judge.DIGIT_SIZE
LOWEST_CONTRAST = 0.5
STRONGEST_HAZE = 0.15  # level of the background
STRONGEST_NOISE = 0.12  # standard deviation
HELD_OUT_FRAMES = 10_000


def overlap(side, start):
    """[n, 32, 28]: the share of pixel j of a digit in pixel i of a frame.

    The digit is stretched to `side` [n] pixels and begins at `start` [n]: area averaging, as in the
    renderer, of which a side of 14 and a whole number as start give the very pixels.
    """
    start, step = start[:, None, None], side[:, None, None] / SIZE
    left = start + step * jnp.arange(SIZE)[None, None]
    pixel = jnp.arange(judge.SIZE)[None, :, None]
    shared = jnp.minimum(left + step, pixel + 1) - jnp.maximum(left, pixel)
    return jnp.maximum(shared, 0)


def render(key, images):
    """Digits [n, 28, 28] in [0, 1] -> frames [n, 32, 32], each of its own place and size."""
    scale_key, place_key = jax.random.split(key)
    side = judge.DIGIT_SIZE * jax.random.uniform(scale_key, (len(images),), minval=SCALE[0], maxval=SCALE[1])
    top, left = jax.random.uniform(place_key, (2, len(images))) * (judge.SIZE - side)[None]
    return jnp.einsum("nyi,nij,nxj->nyx", overlap(side, top), images, overlap(side, left))


def blur(frames):
    """Binomial 3 x 3 filter: [n, h, w] -> [n, h, w]."""
    for axis in (1, 2):
        frames = (jnp.roll(frames, 1, axis) + 2 * frames + jnp.roll(frames, -1, axis)) / 4
    return frames


def disturb(key, frames):
    """What generated frames suffer from: soft or hard edges, faint ink, haze, noise."""
    keys = jax.random.split(key, 3)
    softness, hardness, contrast, haze, deviation = jax.random.uniform(keys[0], (5, len(frames), 1, 1))
    frames = frames + softness * (blur(frames) - frames)
    hard = jnp.clip(4 * frames - 1, 0, 1)
    frames = jnp.where(hardness < 0.2, hard, frames)
    frames = frames * (LOWEST_CONTRAST + (1 - LOWEST_CONTRAST) * contrast)
    frames = jnp.maximum(frames, STRONGEST_HAZE * haze * jax.random.bernoulli(keys[1], 0.3, haze.shape))
    noise = jax.random.normal(keys[2], frames.shape) * STRONGEST_NOISE * deviation**2
    return jnp.clip(frames + noise, 0, 1)


def batch_loss(parameters, key, images, labels):
    """Cross entropy on one batch, whose second half is disturbed."""
    render_key, disturb_key = jax.random.split(key)
    frames = render(render_key, images.astype(jnp.float32) / 255)
    half = len(frames) // 2
    frames = jnp.concatenate([frames[:half], disturb(disturb_key, frames[half:])])
    logits = judge.DigitNetwork().apply({"params": parameters}, frames[..., None])
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def train(digits, steps, seed):
    """The network's parameters after `steps` steps."""
    rng, key = np.random.default_rng(seed), jax.random.key(seed)
    blank = jnp.zeros((1, judge.SIZE, judge.SIZE, 1))
    parameters = judge.DigitNetwork().init(key, blank)["params"]
    optimizer = optax.adam(optax.warmup_cosine_decay_schedule(0, RATE, steps // 20, steps))

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def step(parameters, state, key, images, labels):
        loss, gradients = jax.value_and_grad(batch_loss)(parameters, key, images, labels)
        updates, state = optimizer.update(gradients, state)
        return optax.apply_updates(parameters, updates), state, loss

    state = optimizer.init(parameters)
    for number in range(steps):
        chosen = rng.integers(len(digits.labels), size=BATCH)
        parameters, state, loss = step(
            parameters,
            state,
            jax.random.fold_in(key, number),
            digits.images[chosen],
            digits.labels[chosen],
        )
        if number % 250 == 0:
            print(f"step {number}: loss {loss:.4f}", flush=True)
    return jax.device_get(parameters)


def held_out_accuracy(parameters, size, digit_size, directory):
    """Share of single frames of the real world, with digits of the test split, named rightly."""
    source = MovingDigits(
        "test", HELD_OUT_FRAMES, frames=1, size=size, digit_size=digit_size, directory=directory
    )
    a_judge = judge.DigitJudge(parameters, {})
    elements = list(source)
    verdicts = a_judge.digits(np.stack([element["clip"] for element in elements]))
    return np.mean(verdicts == [element["digit"] for element in elements])


def main(argv):
    """Trains, measures, writes."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected argument {argv[1]!r}")
    start = time.monotonic()
    parameters = train(load_digits("train", _DIRECTORY.value), _STEPS.value, _SEED.value)
    print(f"trained in {time.monotonic() - start:.0f} s")
    flat = {name: np.float16(array) for name, array in flatten_dict(parameters, sep="/").items()}
    shipped = jax.tree.map(lambda array: np.float32(np.float16(array)), parameters)
    sizes = np.array([judge.SIZE, 2 * judge.SIZE])
    accuracy = np.array(
        [
            held_out_accuracy(shipped, size, judge.DIGIT_SIZE * size // judge.SIZE, _DIRECTORY.value)
            for size in sizes.tolist()
        ]
    )
    output = pathlib.Path(_OUTPUT.value)
    output.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(output, held_out_sizes=sizes, held_out_accuracy=accuracy, **flat)
    print(f"held-out accuracy {dict(zip(sizes.tolist(), accuracy.tolist()))}")
    print(f"{output}: {output.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    app.run(main)
