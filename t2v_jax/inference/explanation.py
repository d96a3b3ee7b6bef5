"""Why a video looks as it does: how much each word counted in each frame."""

import dataclasses
import pathlib

import numpy as np

from t2v_jax.errors import UsageError
from t2v_jax.inference.explanation_drawing import draw
from t2v_jax.inference.stream import Stream
from t2v_jax.inference.video import encode_video, save_image
from t2v_jax.inference.video_array import Video
from t2v_jax.text.language import Parse
from t2v_jax.text.understanding import understand


@dataclasses.dataclass(frozen=True)
class Explanation:
    """A video with what its generator attended to; a notebook shows the picture.

    video uint8 [frames, height, width, channels]; parse: the tokens of what was understood, their tags and
    entities; attention float32 [frames, actors, 2, tokens]: weights of the tokens with the sum 1, the mean
    over the heads, for appearance, then for motion.
    """

    video: Video
    parse: Parse
    attention: np.ndarray

    def picture(self) -> np.ndarray:
        """The frames above bars of the weights, a row a word: uint8 [height, width, 3]."""
        return draw(self.video, self.parse, self.attention)

    def save(self, path: str | pathlib.Path, made_from: dict | None = None) -> None:
        """Writes the picture as PNG; `made_from` as `save_video`. Raises UsageError."""
        save_image(self.picture(), path, made_from)

    def _repr_png_(self) -> bytes:
        return encode_video(self.picture()[None], ".png")


def explain(params, prompt: str, seed: int = 0, frames: int | None = None) -> Explanation:
    """The video of `generate` with the same arguments, and how much each word counted in its frames.

    Errors and warnings as `generate`, and UsageError where the generator has no attention.
    """
    frames = params.config.data.frames if frames is None else frames
    if frames < 1:
        raise UsageError(f"frames={frames}; expected 1 or more")
    stream = Stream(params, prompt, seed)
    parse = params.language.parse(understand(params.language, prompt).sentence)
    painted = [(np.asarray(next(stream)), stream.attention) for _ in range(frames)]
    if stream.attention is None:
        raise UsageError(f"the generator {params.config.generator.network} has no attention to explain")
    attention = np.stack([mean_over_heads(weights) for _, weights in painted])
    video = np.stack([frame for frame, _ in painted]).view(Video)
    return Explanation(video, parse, attention[..., : len(parse.tokens)])


def mean_over_heads(attention) -> np.ndarray:
    """Weights [actors, 2 * heads, tokens] -> [actors, 2, tokens]: for appearance, then for motion."""
    actors, _, tokens = attention.shape
    return np.asarray(attention, np.float32).reshape(actors, 2, -1, tokens).mean(2)
