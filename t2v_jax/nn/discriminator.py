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
from t2v_jax.nn.precision import compute_dtype, widened
from t2v_jax.text.encoder import TextEncoder

SLOPE = 0.2  # of the leaky ReLU below zero


class Judgement(NamedTuple):
    """What both judges make of clips, in groups of n clips that are compared with one another.

    logits [judges, groups, n, m]: of clip i of a group with its caption j, the first n of which are the
    clips' own; features [groups, n, d]: what all judges see in a clip.
    """

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
        features = jnp.concatenate([shapes, layers.mean_places(images)], axis=-1)
        return widened(layers.unfold(features, batch)).mean(1)


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
        return layers.mean_places(layers.leaky_relu(images, SLOPE))


def standardise(sentences):
    """Embeddings [m, s] with mean 0 and deviation 1 over the batch.

    What all captions say alike tells no pair of clip and caption from another, and would drown what does.
    """
    about = sentences - sentences.mean(0, keepdims=True)
    return about * lax.rsqrt(sentences.var(0, keepdims=True) + 1e-3)


def fellowship(sentences):
    """How much the other clips of a group say the same as each: [..., n, s] -> weights [..., n, n].

    Rows have the sum 1.

    The sentences' attention to one another, none to themselves: nearly all of it is on those of the same
    words, and where there are none on those of like words.
    """
    alike = sentences @ sentences.mT * sentences.shape[-1] ** -0.5
    others = ~jnp.eye(alike.shape[-1], dtype=bool)
    return nn.softmax(alike, axis=-1, where=jnp.broadcast_to(others, alike.shape))


def distances(features, fellows):
    """How far each is from its fellows, on average: [..., n, d], weights [..., n, n] -> [..., n, d].

    A generator that paints the same thing whenever it reads the same words has none (minibatch
    discrimination, Salimans et al. 2016, arXiv 1606.03498, within a caption).
    """
    return layers.weighted_distances(features, features, fellows)


class Projection(nn.Module):
    """Features [..., n, d], sentences [..., m, s], fellows [..., n, n] (`fellowship`) -> scores [..., n, m].

    psi(phi) + <E(s), phi>, phi being the features and their `distances`.
    """

    @nn.compact
    def __call__(self, features, sentences, fellows):
        features = jnp.concatenate([features, distances(features, fellows)], axis=-1)
        embedded = nn.Dense(features.shape[-1], name="embed")(sentences)
        alone = nn.Dense(1, name="alone")(features)
        return alone + features @ embedded.mT / jnp.sqrt(features.shape[-1])


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
        """Score each clip against the captions of its group: a `Judgement`.

        clips [b, t, h, w, c] in [-1, 1], b of 2 or more; captions of a multiple of b sentences, the first b
        of which are the clips' own and the others, as many for each clip, side by side; look: int [k], the
        frames that the frame judge sees. The logits are of the frame judge and the clip judge.
        """
        return self.judge(clips, self.listen(captions), look)

    def listen(self, captions):
        """What is heard of the captions, [m, s]; both the real and the generated clips are judged by it."""
        return standardise(self.text(captions).embedding)

    def judge(self, clips, sentences, look):
        """`__call__` with what `listen` heard of the captions."""
        own, others = jnp.split(sentences, [len(clips)])
        own = layers.groups(own, len(clips))
        sentences = jnp.concatenate([own, layers.groups(others, len(clips))], axis=1)
        fellows = fellowship(own)
        # The ground becomes 0: then what is empty excites nothing and has no edge where the padding begins.
        clips = (clips - self.config.data.ground).astype(compute_dtype(self.config))
        small = layers.average_pool(clips, self.config.discriminator.clip_pooling)
        seen = self.frame_judge(clips[:, look]), self.clip_judge(small)
        seen = [layers.groups(features, len(clips)) for features in seen]
        projections = self.frame_projection, self.clip_projection
        logits = [project(features, sentences, fellows) for project, features in zip(projections, seen)]
        return Judgement(jnp.stack(logits), jnp.concatenate(seen, axis=-1))
