"""D(V, s): two judges of clip and caption.

A frame judge looks at single frames in full resolution, a clip judge at the whole clip, smaller, with a
ConvLSTM over time (TGANs-C, arXiv 1804.08264; DVD-GAN, arXiv 1907.06571). Both are conditioned by
projection (Miyato & Koyama 2018, arXiv 1802.05637): D(x, s) = psi(phi(x)) + <E(s), phi(x)>.
"""

from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from t2v_jax.nn import layers
from t2v_jax.nn.conv_lstm import ConvLSTM
from t2v_jax.text.encoder import TextEncoder

SLOPE = 0.2  # of the leaky ReLU below zero


class Judgement(NamedTuple):
    """logits [judges, b, m], of clip i with caption j, and features [b, d], what all judges see in a clip."""

    logits: jax.Array
    features: jax.Array


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
    """Single frames: [b, k, h, w, c] -> features [b, d], the mean over the frames.

    Half of them are a maximum over the places, which tells a shape wherever it is and however small; the
    others a mean that knows the places.
    """

    channels: tuple[int, ...]

    @nn.compact
    def __call__(self, frames):
        batch = frames.shape[0]
        images = Trunk(self.channels, name="trunk")(layers.fold(frames))
        images = layers.leaky_relu(layers.Convolution(self.channels[-1], name="shapes")(images), SLOPE)
        shapes = images.max((1, 2))
        images = layers.standard_deviation_channel(layers.with_position(images))
        images = layers.leaky_relu(layers.Convolution(self.channels[-1], 1, name="last")(images), SLOPE)
        features = jnp.concatenate([shapes, images.mean((1, 2))], axis=-1)
        return layers.unfold(features, batch).mean(1)


class ClipJudge(nn.Module):
    """The clip as a whole: [b, t, h, w, c] -> features [b, d]."""

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
        return layers.leaky_relu(images, SLOPE).mean((1, 2))


def standardise(sentences):
    """Embeddings [m, s] with mean 0 and deviation 1 over the batch.

    What all captions say alike tells no pair of clip and caption from another, and would drown what does.
    """
    about = sentences - sentences.mean(0, keepdims=True)
    return about * lax.rsqrt(sentences.var(0, keepdims=True) + 1e-3)


def fellowship(sentences):
    """How much the other clips of a batch say the same as each: [b, s] -> weights [b, b], rows of sum 1.

    The sentences' attention to one another, none to themselves: nearly all of it is on those of the same
    words, and where there are none on those of like words.
    """
    alike = sentences @ sentences.T * sentences.shape[-1] ** -0.5
    return nn.softmax(jnp.where(jnp.eye(len(alike), dtype=bool), -jnp.inf, alike), axis=-1)


def distances(features, fellows):
    """How far each is from its fellows, on average: [b, d], weights [b, b] -> [b, d].

    A generator that paints the same thing whenever it reads the same words has none (minibatch
    discrimination, Salimans et al. 2016, arXiv 1606.03498, within a caption).
    """
    return layers.weighted_distances(features, features, fellows)


class Projection(nn.Module):
    """Features [b, d], sentences [m, s], `fellowship` of the clips [b, b] -> scores [b, m].

    psi(phi) + <E(s), phi>, phi being the features and their `distances`.
    """

    @nn.compact
    def __call__(self, features, sentences, fellows):
        features = jnp.concatenate([features, distances(features, fellows)], axis=-1)
        embedded = nn.Dense(features.shape[-1], name="embed")(sentences)
        alone = nn.Dense(1, name="alone")(features)
        return alone + features @ embedded.T / jnp.sqrt(features.shape[-1])


class Discriminator(nn.Module):
    """Both judges over every pair of clip and caption."""

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
        """Score clip i against caption j: a `Judgement`.

        clips [b, t, h, w, c] in [-1, 1], b of 2 or more; captions of m sentences, the first b of which are
        the clips' own; look: int [k], the frames that the frame judge sees. The logits [2, b, m] are of the
        frame judge and the clip judge; the diagonal holds each clip with its own caption.
        """
        sentences = standardise(self.text(captions).embedding)
        fellows = fellowship(sentences[: len(clips)])
        # The ground becomes 0: then what is empty excites nothing and has no edge where the padding begins.
        clips = clips - self.config.data.ground
        small = layers.average_pool(clips, self.config.discriminator.clip_pooling)
        seen = self.frame_judge(clips[:, look]), self.clip_judge(small)
        projections = self.frame_projection, self.clip_projection
        logits = [project(features, sentences, fellows) for project, features in zip(projections, seen)]
        return Judgement(jnp.stack(logits), jnp.concatenate(seen, axis=-1))
