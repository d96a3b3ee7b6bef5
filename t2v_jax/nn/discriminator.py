"""D(V, s): two judges of clip and caption.

A frame judge looks at single frames in full resolution, a clip judge at the whole clip, smaller, with a
ConvLSTM over time (TGANs-C, arXiv 1804.08264; DVD-GAN, arXiv 1907.06571). Both are conditioned by
projection (Miyato & Koyama 2018, arXiv 1802.05637): D(x, s) = psi(phi(x)) + <E(s), phi(x)>.
"""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jax import lax

from t2v_jax.nn import layers
from t2v_jax.nn.conv_lstm import ConvLSTM
from t2v_jax.text.encoder import TextEncoder

SLOPE = 0.2  # of the leaky ReLU below zero


class Trunk(nn.Module):
    """Strided convolutions: images [n, h, w, c] -> [n, h / 2^k, w / 2^k, channels[-1]]."""

    channels: tuple[int, ...]

    @nn.compact
    def __call__(self, images):
        for channels in self.channels:
            side = images.shape[1]
            images = layers.Convolution(channels, 4, 2, name=f"down_{side}")(images)
            images = layers.leaky_relu(images, SLOPE)
        return images


class FrameJudge(nn.Module):
    """Single frames: [b, k, h, w, c] -> features [b, k, d]."""

    channels: tuple[int, ...]

    @nn.compact
    def __call__(self, frames):
        batch = frames.shape[0]
        images = Trunk(self.channels, name="trunk")(layers.fold(frames))
        images = layers.standard_deviation_channel(layers.with_position(images))
        images = layers.Convolution(self.channels[-1], 1, name="last")(images)
        return layers.unfold(layers.leaky_relu(images, SLOPE).mean((1, 2)), batch)


class ClipJudge(nn.Module):
    """The clip as a whole: [b, t, h, w, c] -> features [b, 1, d]."""

    channels: tuple[int, ...]

    @nn.compact
    def __call__(self, frames):
        batch = frames.shape[0]
        change = jnp.diff(frames, axis=1, prepend=frames[:, :1])
        images = layers.fold(jnp.concatenate([frames, change], axis=-1))
        images = Trunk(self.channels, name="trunk")(images)
        scenes = layers.time_major(layers.unfold(images, batch))
        states, last = ConvLSTM(self.channels[-1], name="conv_lstm")(scenes)
        images = jnp.concatenate([states.mean(0), last.hidden], axis=-1)
        images = layers.standard_deviation_channel(layers.with_position(images))
        images = layers.Convolution(2 * self.channels[-1], name="last")(images)
        return layers.leaky_relu(images, SLOPE).mean((1, 2))[:, None]


def standardise(sentences):
    """Embeddings [m, s] with mean 0 and deviation 1 over the batch.

    What all captions say alike tells no pair of clip and caption from another, and would drown what does.
    """
    about = sentences - sentences.mean(0, keepdims=True)
    return about * lax.rsqrt(sentences.var(0, keepdims=True) + 1e-3)


def same_captions(captions):
    """Which clips have a caption that another one has too: bool [b, b], False on the diagonal."""
    same = jnp.all(captions.tokens[:, None] == captions.tokens[None], axis=-1)
    return same & ~jnp.eye(len(same), dtype=bool)


def distances(features, same):
    """How far each is from the others of its caption, on average: [b, d], bool [b, b] -> [b, d], 0 if alone.

    A generator that paints the same thing whenever it reads the same words has none (minibatch
    discrimination, Salimans et al. 2016, arXiv 1606.03498, within a caption).
    """
    weights = same / jnp.maximum(same.sum(-1, keepdims=True), 1)
    return jnp.einsum("ij,ijd->id", weights, jnp.abs(features[:, None] - features[None]))


class Projection(nn.Module):
    """Features [b, k, d], sentences [m, s], whose captions are the same bool [b, b] -> scores [b, m].

    psi(phi) + <E(s), phi>, phi being the mean of the features over k, and its `distances`.
    """

    @nn.compact
    def __call__(self, features, sentences, same):
        features = features.mean(1)
        features = jnp.concatenate([features, distances(features, same)], axis=-1)
        embedded = nn.Dense(features.shape[-1], name="embed")(sentences)
        alone = nn.Dense(1, name="alone")(features)
        return alone + features @ embedded.T / jnp.sqrt(features.shape[-1])


class Discriminator(nn.Module):
    """Both judges over every pair of clip and caption of a batch."""

    config: Any
    vocabulary_size: int

    def setup(self):
        config, text = self.config.discriminator, self.config.text
        self.text = TextEncoder(
            self.vocabulary_size, text.word_width, text.tag_width, text.sentence, text.width
        )
        self.frame_judge = FrameJudge(tuple(config.frame_channels))
        self.frame_projection = Projection()
        self.clip_judge = ClipJudge(tuple(config.clip_channels))
        self.clip_projection = Projection()

    def __call__(self, clips, captions, look):
        """Score clip i against caption j.

        clips [b, t, h, w, c] in [-1, 1]; captions of b sentences; look: int [k], the frames that the
        frame judge sees. Returns logits [2, b, b]: frame judge and clip judge; the diagonal holds
        each clip with its own caption.
        """
        sentences = standardise(self.text(captions).embedding)
        same = same_captions(captions)
        small = layers.average_pool(clips, self.config.discriminator.clip_pooling)
        return jnp.stack(
            [
                self.frame_projection(self.frame_judge(clips[:, look]), sentences, same),
                self.clip_projection(self.clip_judge(small), sentences, same),
            ]
        )
