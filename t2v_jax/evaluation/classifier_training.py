"""Trains the networks that read clips: the classifiers' and those of experiments."""

import functools

import jax
import jax.numpy as jnp
import optax

from t2v_jax.evaluation.classifier_networks import split

RATE = 2e-3
STRONGEST_NOISE = 0.15  # standard deviation, pixels in [0, 1]


def loss(logits, labels, counts):
    """Cross entropy, summed over kinds: logits [n, sum of counts], labels int [n, kinds, objects].

    Two objects share the probability between them.
    """
    likely = [
        jnp.take_along_axis(jax.nn.log_softmax(part), labels[:, i], axis=1)
        for i, part in enumerate(split(logits, counts).values())
    ]
    return -sum(part.mean() for part in likely)


def fit(network, counts, batches, augment, steps, seed=0, start=None):
    """The network's parameters after so many steps on batches of (inputs, labels), from `start` on."""
    key = jax.random.key(seed)
    parameters = start or network.init(key, augment(key, next(batches)[0]))["params"]
    optimizer = optax.adam(optax.warmup_cosine_decay_schedule(0, RATE, steps // 20, steps))

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def step(parameters, state, key, inputs, labels):
        def batch_loss(parameters):
            logits, *_ = network.apply({"params": parameters}, augment(key, inputs))
            return loss(logits, labels, counts)

        value, gradients = jax.value_and_grad(batch_loss)(parameters)
        updates, state = optimizer.update(gradients, state)
        return optax.apply_updates(parameters, updates), state, value

    state = optimizer.init(parameters)
    for number in range(steps):
        parameters, state, value = step(parameters, state, jax.random.fold_in(key, number), *next(batches))
        if number % 500 == 0:
            print(f"step {number}: loss {value:.4f}", flush=True)
    return jax.device_get(parameters)


def with_noise(key, frames):
    """Frames uint8 [n, h, w, c] -> [0, 1], with noise of random strength: an augmentation for `fit`."""
    keys = jax.random.split(key)
    deviation = STRONGEST_NOISE * jax.random.uniform(keys[0], (len(frames), 1, 1, 1)) ** 2
    return jnp.clip(frames / 255 + deviation * jax.random.normal(keys[1], frames.shape), 0, 1)
