"""How long the host needs to start one training step: what steps of several a call would save.

    python experiments/accelerator/dispatch.py

For each config: a program that takes and returns as many arrays as its step, of one number each, so that it
computes next to nothing. Printed are the arrays and the thread's own time of a call, the median of CALLS.
"""

import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np
import programs

from t2v_jax.training import first_state

CALLS = 1_000


def arrays(tree):
    """As many as the tree has, of one number each."""
    return jax.tree.map(lambda leaf: jnp.zeros((), leaf.dtype), tree)


def started(run):
    """The compiled program, its state and its batch."""
    state, batch = arrays(first_state.abstract_state(run)), arrays(programs.batch(run))
    metrics = 24  # more than any step tells

    def step(state, batch, progress):
        total = sum(jnp.float32(leaf) for leaf in jax.tree.leaves(batch))
        state = jax.tree.map(lambda leaf: leaf + jnp.ones((), leaf.dtype), state)
        return state, [total + progress + number for number in range(metrics)]

    program = jax.jit(step, donate_argnums=0).lower(state, batch, np.float32(0)).compile()
    return program, state, batch


def seconds(program, state, batch):
    """Of a call, in the order of CALLS calls."""
    for _ in range(CALLS):
        begun = time.thread_time()
        state, metrics = program(state, batch, np.float32(0))
        yield time.thread_time() - begun
        jax.block_until_ready(metrics)


def main():
    print("| config | arrays of the state | microseconds a call |")
    print("|---" * 3 + "|")
    for path in programs.CONFIGS:
        program, state, batch = started(programs.prepared(path))
        took = statistics.median(seconds(program, state, batch))
        print(f"| {path.stem} | {len(jax.tree.leaves(state))} | {1e6 * took:.0f} |", flush=True)


if __name__ == "__main__":
    main()
