"""Three earlier GANs as networks of one's own for `t2v train`: same captions, clips and update.

`frames`   GAN-CLS (Reed et al. 2016, arXiv 1605.05396), a DCGAN for single frames, given the time of each
`volumes`  as TGANs-C (Pan et al. 2018, arXiv 1804.08264): a 3-D deconvolution paints the whole clip, and
           three discriminators look at the clip, at single frames and at how their features change
`tutorial` the popular exercise: single frames by 2-D convolutions, binary cross entropy, and a
           discriminator that never sees the caption

They are about as large as ours. Batch normalisation, which would let clips of a batch see each other, is
group normalisation here; a strided transposed convolution is nearest-neighbour upsampling and a
convolution, and a 3-D convolution is a 2-D one of three frames at once, which is the same sum.
"""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from t2v_jax.networks.protocol import DiscriminatorOutput, GeneratorOutput
from t2v_jax.nn.axes import fold, unfold
from t2v_jax.nn.layers import Convolution, leaky_relu
from t2v_jax.nn.statistics import group_captions, groups
from t2v_jax.nn.text_encoder import TextEncoder

COMPRESSED = 64  # width of the caption as the baselines read it
START = 4  # height and width of their first map


class Block(nn.Module):
    """Convolution, group normalisation, ReLU: [n, h, w, c] -> [n, h, w, channels]."""

    channels: int

    @nn.compact
    def __call__(self, images):
        images = Convolution(self.channels)(images)
        return nn.relu(nn.GroupNorm(num_groups=4)(images))


def enlarge(images):
    """Nearest neighbour: [n, h, w, c] -> [n, 2h, 2w, c]."""
    return images.repeat(2, axis=1).repeat(2, axis=2)


def neighbours(frames):
    """Each frame with those before and after, black beyond the ends: [b, t, ..., c] -> [b, t, ..., 3c]."""
    padding = [(0, 0)] * frames.ndim
    padding[1] = (1, 1)
    padded = jnp.pad(frames, padding)
    return jnp.concatenate([padded[:, :-2], frames, padded[:, 2:]], axis=-1)


def frame_numbers(frames, frame_indices, carry):
    """The numbers of the painted frames in the clip, int [k], and that of the frame after the last.

    The latter is the carry of both generators: the rest follows from caption and noise.
    """
    start = 0 if carry is None else carry
    return start + (jnp.arange(frames) if frame_indices is None else frame_indices), start + frames


class CaptionEncoder(nn.Module):
    """Captions, compressed: -> [b, COMPRESSED]."""

    config: Any
    vocabulary_size: int

    @nn.compact
    def __call__(self, captions):
        text = self.config.text
        widths = text.word_width, text.tag_width, text.sentence, text.width
        sentence = TextEncoder(self.vocabulary_size, *widths, name="text")(captions).embedding
        return leaky_relu(nn.Dense(COMPRESSED, name="compress")(sentence), 0.2)


class FrameGenerator(nn.Module):
    """Each frame from the caption, the clip's noise and the frame's time."""

    config: Any
    vocabulary_size: int
    channels: tuple[int, ...] = (64, 48, 24, 16)

    @nn.compact
    def __call__(self, captions, noise, frames, frame_indices=None, carry=None):
        times, following = frame_numbers(frames, frame_indices, carry)
        captions = CaptionEncoder(self.config, self.vocabulary_size)(captions)
        phases = jnp.pi * times[:, None] * 2.0 ** -jnp.arange(6)[None]
        clock = jnp.concatenate([jnp.sin(phases), jnp.cos(phases)], axis=-1)
        seeds = jnp.concatenate([captions, noise], axis=-1).repeat(len(times), axis=0)
        seeds = jnp.concatenate([seeds, jnp.tile(clock, (len(noise), 1))], axis=-1)
        images = nn.Dense(START * START * self.channels[0])(seeds).reshape(-1, START, START, self.channels[0])
        images = nn.relu(nn.GroupNorm(num_groups=4)(images))
        while images.shape[1] < self.config.data.size:
            level = (images.shape[1] // START).bit_length() - 1
            images = Block(self.channels[min(level, len(self.channels) - 1)])(enlarge(images))
        images = jnp.tanh(Convolution(self.config.data.channels)(images))
        return GeneratorOutput(unfold(images, len(noise)), following)


class VolumeGenerator(nn.Module):
    """The whole clip at once: space and time double from level to level. After it the last frame stays."""

    config: Any
    vocabulary_size: int
    channels: tuple[int, ...] = (64, 32, 16, 8)

    @nn.compact
    def __call__(self, captions, noise, frames, frame_indices=None, carry=None):
        data = self.config.data
        times, following = frame_numbers(frames, frame_indices, carry)
        seeds = jnp.concatenate([CaptionEncoder(self.config, self.vocabulary_size)(captions), noise], axis=-1)
        shape = -1, 1, START, START, self.channels[0]
        volume = nn.Dense(START * START * self.channels[0])(seeds).reshape(shape)
        volume = nn.relu(nn.GroupNorm(num_groups=4)(volume))
        level = 0
        while volume.shape[2] < data.size:
            volume = volume.repeat(1 if volume.shape[1] >= data.frames else 2, axis=1)
            volume = volume.repeat(2, axis=2).repeat(2, axis=3)
            block = Block(self.channels[min(level, len(self.channels) - 1)])
            volume = unfold(block(fold(neighbours(volume))), len(noise))
            level += 1
        images = Convolution(data.channels)(fold(neighbours(volume)))
        clips = unfold(jnp.tanh(images), len(noise))
        times = jnp.minimum(times, data.frames - 1) * clips.shape[1] // data.frames
        return GeneratorOutput(clips[:, times], following)


class Joint(nn.Module):
    """Feature maps [b, k, h, w, d] and captions [groups, m, s] -> logits [groups, n, m], as in GAN-CLS.

    The caption is set beside the features of every place, a convolution of one pixel mixes both, and a last
    layer over all places decides. The convolution of both is the sum of each one's own.
    """

    @nn.compact
    def __call__(self, maps, sentences):
        places = groups(maps.reshape(*maps.shape[:2], -1, maps.shape[-1]), len(maps))[:, :, None]
        captions = nn.Dense(maps.shape[-1], name="caption")(sentences)[:, None, :, None, None]
        mixed = leaky_relu(nn.Dense(maps.shape[-1], name="places")(places) + captions, 0.2)
        return nn.Dense(1, name="decide")(mixed.reshape(*mixed.shape[:4], -1))[..., 0].mean(-1)


class Maps(nn.Module):
    """Single frames [b, k, h, w, c] -> [b, k, 4, 4, channels[-1]]."""

    channels: tuple[int, ...] = (16, 32, 64, 64)

    @nn.compact
    def __call__(self, frames):
        images = fold(frames)
        level = 0
        while images.shape[1] > START:
            channels = self.channels[min(level, len(self.channels) - 1)]
            images = leaky_relu(Convolution(channels, 4, 2)(images), 0.2)
            level += 1
        return unfold(images, len(frames))


class FrameScores(nn.Module):
    """Single frames with the captions -> logits [1, groups, n, m], features [b, d]."""

    @nn.compact
    def __call__(self, clips, sentences, frame_indices):
        maps = Maps()(clips[:, frame_indices])
        return Joint()(maps, sentences)[None], maps.mean((1, 2, 3))


class VolumeScores(nn.Module):
    """The clip, its frames, and the change of its frames' features, each with the captions."""

    @nn.compact
    def __call__(self, clips, sentences, frame_indices):
        volume, level = clips, 0
        while volume.shape[2] > START:
            channels = (8, 16, 32, 64)[min(level, 3)]
            images = Convolution(channels, 4, 2)(fold(neighbours(volume)))
            volume = unfold(leaky_relu(images, 0.2), len(clips))
            level += 1
        maps = Maps(name="frames")(clips)
        change = jnp.abs(jnp.diff(maps, axis=1))
        logits = [
            Joint(name="clip")(volume.mean(1, keepdims=True), sentences),
            Joint(name="frame")(maps[:, frame_indices], sentences),
            Joint(name="motion")(change, sentences),
        ]
        return jnp.stack(logits), maps.mean((1, 2, 3))


class UnconditionalScores(nn.Module):
    """Single frames alone: every caption fits."""

    @nn.compact
    def __call__(self, clips, sentences, frame_indices):
        maps = Maps()(clips[:, frame_indices])
        scores = nn.Dense(1)(maps.reshape(*maps.shape[:2], -1)).mean((1, 2))
        scores = groups(scores, len(clips))[None, ..., None]
        return scores.repeat(sentences.shape[1], axis=-1), maps.mean((1, 2, 3))


class FrameDiscriminator(nn.Module):
    """Captions, and the scores that they and the clips have."""

    config: Any
    vocabulary_size: int
    scores_class = FrameScores  # untyped, so no field: a subclass has another one

    def setup(self):
        self.captions = CaptionEncoder(self.config, self.vocabulary_size)
        self.scores = self.scores_class()

    def __call__(self, clips, captions, frame_indices):
        return self.score(clips, self.encode_captions(captions), frame_indices)

    def encode_captions(self, captions):
        return self.captions(captions)

    def score(self, clips, sentences, frame_indices):
        logits, features = self.scores(clips, group_captions(sentences, len(clips)), frame_indices)
        return DiscriminatorOutput(logits, groups(features, len(clips)))


class VolumeDiscriminator(FrameDiscriminator):
    """As TGANs-C: the clip, its frames and how their features change."""

    scores_class = VolumeScores


class UnconditionalDiscriminator(FrameDiscriminator):
    """The popular exercise's, which never sees a caption."""

    scores_class = UnconditionalScores
