"""From styles to canvases: a ConvLSTM draws each actor frame after frame, a decoder paints it."""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from t2v_jax.config.resolution import GRID, doublings, levels
from t2v_jax.networks.appearance import MappingNetwork
from t2v_jax.nn.conv_lstm import ConvLSTM
from t2v_jax.nn.geometry import fourier_features, grid_positions
from t2v_jax.nn.layers import Convolution, icnr, leaky_relu, sparing_memory
from t2v_jax.nn.modulation import Modulation
from t2v_jax.nn.resampling import blur, depth_to_space


class Scene(nn.Module):
    """Styles [1 or frames, n, d] -> ConvLSTM states [frames, n, GRID, GRID, channels], the last `State`.

    The states, and all that is painted from them, have the type `dtype`.
    """

    channels: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, styles, frames, state=None, burn_in=None):
        positions = fourier_features(grid_positions(GRID), 2 * self.channels)
        places = jnp.broadcast_to(positions, (*styles.shape[:2], *positions.shape))
        inputs = leaky_relu(Modulation(name="cue")(places.astype(self.dtype), styles))
        # The inputs know their places already; a wider kernel would double the cost of the recurrence.
        conv_lstm = ConvLSTM(self.channels, input_kernel_size=1, at_rest=True, name="conv_lstm")
        repeated = frames if len(styles) == 1 else None
        return conv_lstm(inputs, state, repeated, burn_in)


class Painter(nn.Module):
    """Scene states [n, GRID, GRID, c] and styles [n, d] -> canvases [n, side, side, pixels].

    Each of `channels` doubles the resolution, `blur_upsample` blurs what that makes. A canvas is what the
    actor adds to the background, zero where it is transparent. With an `opacity` a last channel says how much
    of what is behind it is hidden, 0 to 1, and the others are multiplied by it (premultiplied alpha, Porter &
    Duff 1984); `opacity` is its logit to begin with.
    """

    pixels: int
    channels: tuple[int, ...]
    blur_upsample: bool
    opacity: float | None = None

    @nn.compact
    def __call__(self, images, styles):
        for channels in self.channels:
            upsample = sparing_memory(Painter._upsample, 2 * images.shape[1])
            images = upsample(self, channels, images, styles)
        return sparing_memory(Painter._foreground, images.shape[1])(self, self.pixels, images, styles)

    def _upsample(self, channels, images, styles):
        side = 2 * images.shape[1]
        images = Modulation(name=f"style_{side}")(images, styles)
        up = Convolution(4 * channels, kernel_init=icnr, name=f"up_{side}")
        images = depth_to_space(up(leaky_relu(images)))
        return blur(images) if self.blur_upsample else images

    def _foreground(self, pixels, images, styles):
        images = leaky_relu(Modulation(name="style")(images, styles))
        if self.opacity is None:
            return Convolution(pixels, name="foreground")(images)
        foreground = Convolution(pixels + 1, name="foreground")(images)
        hides = nn.sigmoid(foreground[..., pixels:] + self.opacity)
        return jnp.concatenate([foreground[..., :pixels] * hides, hides], axis=-1)


class Picture(nn.Module):
    """What they show [b, .], noise [b, z] -> pictures [b, side, side, pixels], one for each clip.

    A picture is what is added to the colour of the background. Its `side` is half as long again as that of
    the frames, so that a camera can move over it.
    """

    pixels: int
    frame: int
    width: int
    channels: tuple[int, ...]
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, contexts, noise):
        styles = MappingNetwork(self.width, name="mapping")(contexts, noise)
        positions = fourier_features(grid_positions(GRID * 3 // 2), 2 * self.channels[0])
        places = jnp.broadcast_to(positions.astype(self.dtype), (len(noise), *positions.shape))
        images = leaky_relu(Modulation(name="cue")(places, styles))
        channels = levels(self.channels, doublings(self.frame))
        return Painter(self.pixels, channels, blur_upsample=True, name="painter")(images, styles)


def leaky_clip(images):
    """Bring pixels to [-1, 1], but for a tenth of what is beyond.

    Squashing functions die on a black background: tanh is flat there, and an opacity gets no gradient where
    the colour is the background's, nor a colour where the opacity is zero.
    """
    inside = jnp.clip(images, -1, 1)
    return inside + 0.1 * (images - inside)
