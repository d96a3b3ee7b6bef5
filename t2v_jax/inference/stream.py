"""Frames without end: `Stream`."""

import jax.numpy as jnp

from t2v_jax.inference.generation import checked_seed, encode, sample_noise, to_bytes
from t2v_jax.runtime.jit import BackendJit


class Stream:
    """Frames without end, uint8 [height, width, channels], in constant memory.

    An iterator: frame i is that of `generate(params, prompt, seed, frames)`, painted when it is asked
    for. `stream.prompt = "..."` changes the sentence while the video plays: what comes next goes on
    from the frames before, and obeys the new one. Errors and warnings as `generate`.

    `attention`, once there is a frame: what each actor attended to in the last one, float32
    [actors, 2 * heads, max_tokens]: weights of the tokens, for its appearance, then for its motion; None
    where the network has no attention.
    """

    def __init__(self, params, prompt: str, seed: int = 0):
        self._params, self._seed, self._carry = params, checked_seed(seed), None
        self.attention = None
        self.prompt = prompt

    @property
    def prompt(self) -> str:
        """The sentence that the next frame obeys."""
        return self._prompt

    @prompt.setter
    def prompt(self, prompt):
        self._captions = encode(self._params.language, [prompt])
        self._prompt = prompt

    def __iter__(self):
        return self

    def __next__(self):
        asked = self._params, self._captions, self._seed, self._carry
        frame, self.attention, self._carry = _next_frame(*asked)
        return frame


@BackendJit
def _next_frame(params, captions, seed, carry):
    """The frame after `carry`, uint8 [h, w, c], its attention or None, and the carry after it."""
    noise = sample_noise(params, seed, jnp.arange(1))
    output = params.network.apply(params.generator, captions, noise, 1, carry=carry)
    attention = None if output.attention is None else output.attention[0]
    return to_bytes(output.clips[0, 0]), attention, output.carry
