"""The digit judge: a small convolutional network that names the digit in a frame.

It has learnt from real digits alone (experiments/judges), and no generator ever sees it.
"""

import importlib.resources
import io
from typing import Any

import flax.linen as nn
import jax
import numpy as np
from flax.traverse_util import unflatten_dict

from t2v_jax.errors import UsageError

SIZE = 32  # height and width of the frames that the network sees, pixels
DIGIT_SIZE = 14  # side of the digits it learnt from, pixels of such a frame
_FRAMES_AT_ONCE = 256


class DigitNetwork(nn.Module):
    """Ink [n, 32, 32, 1] in [0, 1] -> logits [n, 10].

    Strides come early, for speed; the maximum over places makes the digit's place irrelevant.
    """

    @nn.compact
    def __call__(self, ink):
        layers = ((24, 4, 2), (32, 3, 1), (64, 4, 2), (96, 3, 1))
        for level, (channels, size, stride) in enumerate(layers):
            convolution = nn.Conv(
                channels,
                (size, size),
                (stride, stride),
                kernel_init=nn.initializers.he_normal(),
                name=f"convolution_{level}",
            )
            ink = nn.relu(convolution(ink))
        return nn.Dense(10, name="digit")(ink.max((1, 2)))


class DigitJudge:
    """Names the digit of frames and clips whose sides are 32 pixels or a multiple of 32.

    `held_out_accuracy` is {side of the frames, pixels: share of single real frames of digits from
    MNIST's test split that it names rightly}. `DigitJudge.shipped()` is the judge to use.
    """

    def __init__(self, parameters: Any, held_out_accuracy: dict[int, float]):
        self._parameters = parameters
        self.held_out_accuracy = held_out_accuracy

    @classmethod
    def shipped(cls) -> "DigitJudge":
        """The judge that comes with the package."""
        asset = importlib.resources.files("t2v_jax") / "assets" / "judges" / "digits.npz"
        with np.load(io.BytesIO(asset.read_bytes()), allow_pickle=False) as arrays:
            accuracy = {
                int(side): float(share)
                for side, share in zip(arrays["held_out_sizes"], arrays["held_out_accuracy"])
            }
            flat = {name: np.float32(arrays[name]) for name in arrays.files if "/" in name}
        return cls(unflatten_dict(flat, sep="/"), accuracy)

    def log_probabilities(self, clips: np.ndarray) -> np.ndarray:
        """uint8 [n, t, h, w, c] -> float32 [n, 10]: log p(digit | frame), mean over frames."""
        n, t, *shape = clips.shape
        if shape[0] != shape[1] or shape[0] % SIZE:
            raise UsageError(
                f"frames of {shape[0]}x{shape[1]} pixels; the digit judge expects squares with a "
                f"side of {SIZE} or a multiple of it: set config.data.size so"
            )
        frames = np.asarray(clips).reshape(n * t, *shape)
        # Filled up to whole batches, so that one compiled program serves them all.
        blanks = np.zeros((-len(frames) % _FRAMES_AT_ONCE, *shape), np.uint8)
        batches = np.concatenate([frames, blanks]).reshape(-1, _FRAMES_AT_ONCE, *shape)
        judged = [_judge_frames(self._parameters, batch) for batch in batches]
        return np.concatenate(judged)[: n * t].reshape(n, t, -1).mean(1)

    def digits(self, clips: np.ndarray) -> np.ndarray:
        """uint8 [n, t, h, w, c] -> int [n], the digit that the frames together make most likely."""
        return self.log_probabilities(clips).argmax(-1)


@jax.jit
def _judge_frames(parameters, frames):
    """Frames uint8 [n, h, w, c] -> log p(digit | frame) [n, 10]."""
    return jax.nn.log_softmax(DigitNetwork().apply({"params": parameters}, _ink(frames)))


def _ink(frames):
    """uint8 [n, h, w, c] -> [n, 32, 32, 1] in [0, 1]: channels averaged, pixels in blocks."""
    n, h, w, c = frames.shape
    blocks = frames.reshape(n, SIZE, h // SIZE, SIZE, w // SIZE, c)
    return blocks.mean((2, 4, 5))[..., None] / 255
