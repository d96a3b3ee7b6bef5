"""D(V, s): a frame discriminator and a clip discriminator, both conditioned on the caption.

The first sees single frames in full resolution, the second the whole clip, smaller, with a ConvLSTM over time
(TGANs-C, arXiv 1804.08264; DVD-GAN, arXiv 1907.06571). For things that move before pictures a third sees
frames less their mean, and a fourth what moves, cut out: by what stands still the others would learn by heart
which caption a clip has.
Captions come in by projection (Miyato & Koyama 2018, arXiv 1802.05637): D(x, s) = psi(phi(x)) + <E(s),
phi(x)>.
"""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jax import lax

from t2v_jax.config.resolution import doublings
from t2v_jax.networks.protocol import DiscriminatorOutput
from t2v_jax.nn.axes import fold, time_major, unfold
from t2v_jax.nn.conv_lstm import ConvLSTM
from t2v_jax.nn.cutouts import cutouts
from t2v_jax.nn.geometry import with_position
from t2v_jax.nn.layers import Convolution, leaky_relu, sparing_memory
from t2v_jax.nn.optical_flow import normal_flow
from t2v_jax.nn.precision import compute_dtype, widened
from t2v_jax.nn.resampling import average_pool
from t2v_jax.nn.statistics import (
    caption_similarity,
    group_captions,
    groups,
    mean_places,
    standard_deviation_channel,
    weighted_distances,
)
from t2v_jax.nn.text_encoder import TextEncoder

SLOPE = 0.2  # of the leaky ReLU below zero


class Trunk(nn.Module):
    """Strided convolutions: images [n, h, w, c] -> [n, h / 2^k, w / 2^k, channels[-1]]."""

    channels: tuple[int, ...]

    @nn.compact
    def __call__(self, images):
        for channels in self.channels:
            images = sparing_memory(Trunk._halve, images.shape[1])(self, channels, images)
        return images

    def _halve(self, channels, images):
        images = Convolution(channels, 4, 2, name=f"down_{images.shape[1]}")(images)
        return leaky_relu(images, SLOPE)


class FrameDiscriminator(nn.Module):
    """Single frames: [b, k, h, w, c] -> features [b, d], the mean over the frames.

    Half of them are a maximum over the places, which finds a shape wherever it is and however small; the
    others are a mean that knows the places.
    """

    channels: tuple[int, ...]

    @nn.compact
    def __call__(self, frames):
        batch = frames.shape[0]
        images = Trunk(self.channels, name="trunk")(fold(frames))
        images = leaky_relu(Convolution(self.channels[-1], name="shapes")(images), SLOPE)
        shapes = images.max((1, 2))
        images = standard_deviation_channel(with_position(images))
        images = leaky_relu(Convolution(self.channels[-1], 1, name="last")(images), SLOPE)
        features = jnp.concatenate([shapes, mean_places(images)], axis=-1)
        return widened(unfold(features, batch)).mean(1)


class ClipDiscriminator(nn.Module):
    """The clip as a whole: [b, t, h, w, c] -> features [b, d].

    It sees each frame, its change since the one before, and the flow between both.
    """

    channels: tuple[int, ...]

    @nn.compact
    def __call__(self, frames):
        batch = frames.shape[0]
        before = jnp.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
        images, before = fold(frames), fold(before)
        images = jnp.concatenate([images, images - before, normal_flow(before, images)], axis=-1)
        images = Trunk(self.channels, name="trunk")(images)
        scenes = time_major(unfold(images, batch))
        states, last = ConvLSTM(self.channels[-1], name="conv_lstm")(scenes)
        images = jnp.concatenate([states.mean(0), last.hidden], axis=-1)
        images = standard_deviation_channel(with_position(images))
        images = Convolution(2 * self.channels[-1], name="last")(images)
        return mean_places(leaky_relu(images, SLOPE))


def standardise(sentences):
    """Embeddings [m, s] with mean 0 and standard deviation 1 over the batch.

    What all captions have in common separates no pair of clip and caption from another, and would drown the
    rest.
    """
    about = sentences - sentences.mean(0, keepdims=True)
    return about * lax.rsqrt(sentences.var(0, keepdims=True) + 1e-3)


def distances(features, similarity):
    """The mean distance of each clip from those with similar captions: [..., n, d], [..., n, n] -> [..., n,
    d].

    A generator that paints the same clip for the same words has none (minibatch discrimination, Salimans et
    al. 2016, arXiv 1606.03498, within a caption).
    """
    return weighted_distances(features, features, similarity)


class Projection(nn.Module):
    """Features [..., n, d], sentences [..., m, s], `caption_similarity` [..., n, n] -> logits [..., n, m].

    psi(phi) + <E(s), phi>, where phi are the features and their `distances`.
    """

    @nn.compact
    def __call__(self, features, sentences, similarity):
        features = jnp.concatenate([features, distances(features, similarity)], axis=-1)
        embedded = nn.Dense(features.shape[-1], name="embed")(sentences)
        unconditional = nn.Dense(1, name="unconditional")(features)
        return unconditional + features @ embedded.mT / jnp.sqrt(features.shape[-1])


class Discriminator(nn.Module):
    """The discriminator that ships; `networks.protocol` says how it is called."""

    config: Any
    vocabulary_size: int

    def setup(self):
        config, text = self.config.discriminator, self.config.text
        self.text = TextEncoder(
            self.vocabulary_size, text.word_width, text.tag_width, text.sentence, text.width
        )
        self.frame_discriminator = FrameDiscriminator(tuple(config.frame_channels))
        self.frame_projection = Projection()
        self.clip_discriminator = ClipDiscriminator(tuple(config.clip_channels))
        self.clip_projection = Projection()
        if config.moving:
            self.moving_discriminator = FrameDiscriminator(tuple(config.frame_channels))
            self.moving_projection = Projection()
            channels = config.frame_channels[-doublings(self.config.generator.canvas_size) :]
            self.thing_discriminator = FrameDiscriminator(tuple(channels))
            self.thing_projection = Projection()

    def __call__(self, clips, captions, frame_indices, things=None):
        """Score each clip against the captions of its group -> `DiscriminatorOutput`.

        clips [b, t, h, w, c] in [-1, 1], b of 2 or more; captions of a multiple of b sentences, the first b
        of which are the clips' own and the others, as many for each clip, side by side; frame_indices int
        [k]: what the frame discriminator sees. things [b, k, side, side, c + 1]: what moves, for the
        discriminator of these, by default the clips' `cutouts`. The logits are those of the frame, then of
        the clip discriminator, and with config.discriminator.moving of the two for what moves.
        """
        return self.score(clips, self.encode_captions(captions), frame_indices, things)

    def encode_captions(self, captions):
        """Sentence embeddings [m, s]; real and generated clips are scored by the same ones."""
        return standardise(self.text(captions).embedding)

    def score(self, clips, sentences, frame_indices, things=None):
        """`__call__` with encoded captions."""
        # The background becomes 0: what is empty excites nothing and has no edge where the padding begins.
        clips = (clips - self.config.data.background).astype(compute_dtype(self.config))
        small = average_pool(clips, self.config.discriminator.clip_pooling)
        features = [self.frame_discriminator(clips[:, frame_indices]), self.clip_discriminator(small)]
        projections = [self.frame_projection, self.clip_projection]
        if self.config.discriminator.moving:
            moved = clips - clips.mean(1, keepdims=True)  # background subtraction
            if things is None:
                things = cutouts(clips, len(frame_indices), self.config.generator.canvas_size)
            features.append(self.moving_discriminator(moved[:, frame_indices]))
            features.append(self.thing_discriminator(things.astype(clips.dtype)))
            projections += [self.moving_projection, self.thing_projection]
        features = [groups(part, len(clips)) for part in features]
        sentences = group_captions(sentences, len(clips))
        similarity = caption_similarity(sentences[:, : features[0].shape[1]])
        logits = [project(part, sentences, similarity) for project, part in zip(projections, features)]
        return DiscriminatorOutput(jnp.stack(logits), jnp.concatenate(features, axis=-1))
