"""What the page plays: a stream that begins again where the model's clips end."""

import math

from t2v_jax.inference.loop import loops
from t2v_jax.inference.stream import Stream


class Player(Stream):
    """A `Stream`, whose clip begins again, with the same seed, after `length` frames (infinity: never).

    A model whose clips were all trained from their first frame on (config.schedule.max_start_offset=0) has
    not learnt what comes after their last one, where a shape has left the frame. It goes on where its clips
    repeat by themselves.
    """

    def __init__(self, params, prompt: str, seed: int = 0):
        super().__init__(params, prompt, seed)
        self._painted = 0
        goes_on = params.config.schedule.max_start_offset > 0 or loops(params.config)
        self.length = math.inf if goes_on else params.config.data.frames

    def __next__(self):
        if self._painted == self.length:
            self._painted, self._carry = 0, None
        self._painted += 1
        return super().__next__()
