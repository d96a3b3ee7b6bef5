"""The generator and the discriminator in PyTorch, as functions of the flax parameter trees.

Images stay [n, h, w, c], which to torch's convolutions is the memory format channels_last. Of all
configurations those with one actor, the sentence "mean" and bilinear attention, as the shipped ones have.
"""

import jax
import numpy as np
import torch
from torch.nn import functional

from t2v_jax.networks.discriminator import SLOPE
from t2v_jax.networks.generator import GRID
from t2v_jax.nn import geometry
from t2v_jax.nn.attention import GAIN


def take_over(tree):
    """Arrays -> tensors of the same numbers; kernels [h, w, i, o] become torch's [o, i, h, w]."""
    return jax.tree.map(lambda leaf: _tensor(np.asarray(leaf)), tree)


def _tensor(array):
    if array.ndim == 4:
        return torch.tensor(np.ascontiguousarray(array.transpose(3, 0, 1, 2))).permute(0, 3, 1, 2)
    return torch.tensor(array)


def leaves(tree) -> list:
    """The tensors of nested dictionaries."""
    return [leaf for value in tree.values() for leaf in leaves(value)] if isinstance(tree, dict) else [tree]


def dense(p, features):
    """[n, i] -> [n, o]."""
    return torch.addmm(p["bias"], features, p["kernel"])


def convolve(images, kernel, bias=None, stride=1):
    """Images [n, h, w, i], kernel [o, i, k, k] -> [n, h / stride, w / stride, o]."""
    padding = (kernel.shape[-1] - 1) // 2
    return functional.conv2d(images.permute(0, 3, 1, 2), kernel, bias, stride, padding).permute(0, 2, 3, 1)


def convolution(p, images, stride=1):
    """`layers.Convolution`."""
    return convolve(images, p["conv"]["kernel"], p["conv"]["bias"], stride)


def rms_normalise(features):
    """Scale to unit root mean square over the last axis."""
    return functional.rms_norm(features, features.shape[-1:], eps=1e-6)


def modulation(p, images, style):
    """`Modulation`: images [n, h, w, c], style [n, d]."""
    scale, shift = dense(p["scale_shift"], style)[:, None, None].chunk(2, -1)
    return torch.addcmul(shift, rms_normalise(images), 1 + scale)


def depth_to_space(images):
    """[n, h, w, 4c] -> [n, 2h, 2w, c]."""
    n, h, w, c = images.shape
    blocks = images.reshape(n, h, w, 2, 2, c // 4).transpose(2, 3)
    return blocks.reshape(n, 2 * h, 2 * w, c // 4)


def blur_upsample(images):
    """`layers.smooth`, a convolution of each channel: [n, h, w, c]."""
    weights = images.new_tensor([1, 2, 1]) / 4
    kernel = torch.outer(weights, weights).expand(images.shape[-1], 1, 3, 3)
    padded = functional.pad(images.permute(0, 3, 1, 2), (1, 1, 1, 1), "replicate")
    return functional.conv2d(padded, kernel, groups=images.shape[-1]).permute(0, 2, 3, 1)


def fourier_features(size, channels):
    """Where each of size x size pixels is: [size, size, channels]."""
    return torch.tensor(np.asarray(geometry.fourier_features(geometry.grid_positions(size), channels)))


def cell(gates, state_cell):
    """One LSTM cell: gates [..., 4c] -> hidden, cell [..., c]."""
    c = state_cell.shape[-1]
    i, f, o = torch.sigmoid(gates[..., : 3 * c]).chunk(3, -1)
    new_cell = torch.addcmul(f * state_cell, i, torch.tanh(gates[..., 3 * c :]))
    return o * torch.tanh(new_cell), new_cell


def resting_state(gates):
    """The hidden state and the cell that the gates [..., 4c] leave as they are."""
    i, f, o, g = gates.chunk(4, -1)
    resting = torch.sigmoid(i) * torch.tanh(g) * (1 + torch.exp(f))
    return torch.sigmoid(o) * torch.tanh(resting), resting


def recur(gate_inputs, kernel, state):
    """The recurrence over a sequence of gates [n, h, w, 4c] -> hidden states [t, n, h, w, c], last state."""
    states = []
    for gates in gate_inputs:
        state = cell(gates + convolve(state[0], kernel), state[1])
        states.append(state[0])
    return torch.stack(states), state


def conv_lstm(p, frames):
    """Frames [t, b, h, w, i] -> hidden states [t, b, h, w, c], from zero on."""
    gates = convolve(frames.flatten(0, 1), p["input_kernel"], p["bias"]).unflatten(0, frames.shape[:2])
    zeros = gates.new_zeros(*gates.shape[1:-1], p["hidden_kernel"].shape[1])
    return recur(gates.unbind(), p["hidden_kernel"], (zeros, zeros))[0]


def read(p, captions):
    """Captions -> words [b, n, v] and sentence embeddings [b, s]."""
    tables = p["words"]["vectors"], p["words"]["tags"]["embedding"], p["words"]["entities"]["embedding"]
    parts = zip((captions.tokens, captions.tags, captions.entities), tables)
    mask = captions.mask[..., None].float()
    words = torch.cat([functional.embedding(*part) for part in parts], -1) * mask
    mean = words.sum(1) / mask.sum(1).clamp(min=1)
    return words, rms_normalise(dense(p["sentence"], mean))


def asking(kernel):
    """The kernel of bilinear scores [h, q, v] with its scale, as one matrix [q, h * v]."""
    _, width, keys = kernel.shape
    return kernel.transpose(0, 1).reshape(width, -1) * GAIN * (width * keys) ** -0.5


def attend(query, ask, words, silent, gumbel=None):
    """Query [b, q], `asking`, words [b, n, v] -> contexts [b, h * v], likelihood [b].

    silent [b, 1, n]: minus infinity where no word stands, else zero; gumbel [b, h, n]: each head hears one
    word.
    """
    asked = (query @ ask).view(len(words), -1, words.shape[-1])
    scores = torch.baddbmm(silent, asked, words.mT)
    weights = output = scores.softmax(-1)
    log_prob = words.new_zeros(len(words))
    if gumbel is not None:
        soft = (scores + gumbel).softmax(-1)
        drawn = functional.one_hot(soft.argmax(-1), soft.shape[-1]).to(soft.dtype)
        output = soft + (drawn - soft).detach()
        log_prob = torch.log((drawn * weights).sum(-1)).sum(-1)
    return torch.bmm(output, words).flatten(1), log_prob


def apply(p, role, noise, words, silent, state, frames):
    """The script's states from `state` [b, w] on: [frames, b, w]."""
    ask, role = asking(p["deeds"]["kernel"]), role + p["query"]["bias"]
    gru, states = fused_gru(p["gru"]), []
    for _ in range(frames):
        query = torch.addmm(role, state, p["query"]["kernel"])
        contexts, _ = attend(query, ask, words, silent)
        state = torch.gru_cell(torch.cat([contexts, noise], -1), state, *gru)
        states.append(state)
    return torch.stack(states)


def fused_gru(p):
    """flax's GRU as torch has it: kernels of inputs and state [3w, .], biases of inputs and state [3w]."""
    kernels = [torch.cat([p[side + gate]["kernel"] for gate in "rzn"], 1).T for side in "ih"]
    input_bias = torch.cat([p["i" + gate]["bias"] for gate in "rzn"])
    hidden_bias = functional.pad(p["hn"]["bias"], (2 * len(p["hn"]["bias"]), 0))
    return *kernels, input_bias, hidden_bias


def place(canvases, centres, size):
    """`geometry.place`: canvases [n, side, side, c], centres [n, 2] -> [n, size, size, c]."""
    side = canvases.shape[1]
    shifts = torch.arange(size)[:, None] - torch.arange(side)
    corners = centres * size - side / 2
    rows, columns = cubic((corners[..., None, None] - shifts).abs()).unbind(1)
    return torch.einsum("nyi,nijc,nxj->nyxc", rows, canvases, columns).contiguous()


def cubic(distances):
    """`geometry.cubic`, of distances from 0 on."""
    outer, inner = functional.relu(2 - distances), functional.relu(1 - distances)
    return outer**2 * (outer - 1) / 2 + inner**2 * (1 - 2 * inner)


def leaky_clip(images):
    """Bring pixels to [-1, 1], but for a tenth of what is beyond."""
    return torch.lerp(images.clamp(-1, 1), images, 0.1)


class Generator:
    """G(s, z) -> clips."""

    def __init__(self, config):
        self.size, self.channels = config.data.size, len(config.generator.painter_channels)
        self.burn_in, self.blur_upsample = config.generator.burn_in, config.generator.blur_upsample
        self.positions = fourier_features(GRID, 2 * config.generator.scene_channels)

    def __call__(
        self, p, captions, noise, frames, frame_indices=None, gumbel=None, start_offsets=None, latest=0
    ):
        """Captions, noise [b, z] -> clips [b, t, size, size, pixels], likelihood [b].

        `frames` are computed, those in `frame_indices` (int [k]) painted, all by default; gumbel [b, heads,
        words]: noise of hard attention; moments int [b], 0 to `latest`: how many frames the scripts have run
        before, and the scenes all as many as the first.
        """
        looks_noise, deeds_noise = noise.chunk(2, -1)
        words, sentence = read(p["text"], captions)
        silent = torch.zeros(captions.mask.shape).masked_fill(~captions.mask, -torch.inf)[:, None]
        actor = noise.new_ones(len(noise), 1)

        motion_rnn, appearance = p["motion_rnn"], p["appearance"]
        role = sentence + dense(motion_rnn["role"], actor)
        start = torch.tanh(dense(motion_rnn["start"], deeds_noise))
        scene = role, deeds_noise, words, silent
        if start_offsets is not None:
            with torch.no_grad():
                later = apply(motion_rnn["cell"], *scene, start, latest)[
                    start_offsets - 1, torch.arange(len(noise))
                ]
            start = torch.where(start_offsets[:, None] == 0, start, later)
        lines = apply(motion_rnn["cell"], *scene, start, frames)

        ask = asking(appearance["attention"]["kernel"])
        contexts, log_prob = attend(dense(appearance["query"], actor), ask, words, silent, gumbel)
        styles = self.style(p["mapping"], contexts, looks_noise)
        burn_in = self.burn_in + (0 if start_offsets is None else int(start_offsets[0]))
        states = self.scene(p["scene"], styles, frames, burn_in)
        if frame_indices is not None:
            lines, states = lines[frame_indices], states[frame_indices]
        places = torch.sigmoid(2 * dense(motion_rnn["cell"]["place"], lines.flatten(0, 1)))
        canvases = self.paint(p["painter"], states.flatten(0, 1), styles.repeat(len(states), 1))
        clips = leaky_clip(place(canvases, places, self.size) + p["background"])
        return clips.unflatten(0, states.shape[:2]).transpose(0, 1), log_prob

    def style(self, p, appearance, noise):
        """What the actor looks like: words [n, v], noise [n, z] -> [n, d]."""
        parts = rms_normalise(dense(p["words"], appearance)), rms_normalise(dense(p["noise"], noise))
        hidden = functional.leaky_relu(dense(p["mapping"], torch.cat(parts, -1)))
        return functional.leaky_relu(dense(p["mapping"], rms_normalise(hidden)))

    def scene(self, p, styles, frames, burn_in=0):
        """Styles [n, d] -> ConvLSTM states [frames, n, GRID, GRID, c], `burn_in` frames from rest on."""
        places = self.positions.expand(len(styles), *self.positions.shape)
        cue = functional.leaky_relu(modulation(p["cue"], places, styles))
        gates = convolve(cue, p["conv_lstm"]["input_kernel"], p["conv_lstm"]["bias"])
        kernel, state = p["conv_lstm"]["hidden_kernel"], resting_state(gates)
        if burn_in:
            with torch.no_grad():
                state = recur([gates] * burn_in, kernel, state)[1]
        return recur([gates] * frames, kernel, state)[0]

    def paint(self, p, images, styles):
        """Scene states [n, GRID, GRID, c], styles [n, d] -> canvases [n, side, side, pixels]."""
        for level in range(self.channels):
            side = GRID * 2 ** (level + 1)
            images = functional.leaky_relu(modulation(p[f"style_{side}"], images, styles))
            images = depth_to_space(convolution(p[f"up_{side}"], images))
            images = blur_upsample(images) if self.blur_upsample else images
        return convolution(p["foreground"], functional.leaky_relu(modulation(p["mapping"], images, styles)))


class Discriminator:
    """D(V, s): frame judge and clip judge."""

    def __init__(self, config):
        discriminators, size = config.discriminator, config.data.size
        self.pooling, pooled = discriminators.clip_pooling, size // discriminators.clip_pooling
        self.frame_sides = [size >> level for level in range(len(discriminators.frame_channels))]
        self.clip_sides = [pooled >> level for level in range(len(discriminators.clip_channels))]
        self.frame_positions = fourier_features(self.frame_sides[-1] // 2, 16)
        self.clip_positions = fourier_features(self.clip_sides[-1] // 2, 16)

    def __call__(self, p, clips, captions, frame_indices):
        """Clips [b, t, h, w, c], captions of m sentences, look int [k] -> logits [2, b, m]."""
        _, sentences = read(p["text"], captions)
        variance, mean = torch.var_mean(sentences, 0, correction=0)
        sentences = (sentences - mean) * torch.rsqrt(variance + 1e-3)
        similarity = self.caption_similarity(sentences[: len(clips)])
        clips = clips + 1
        frames = self.judge_frames(p["frame_discriminator"], clips[:, frame_indices])
        whole = self.judge_clip(p["clip_discriminator"], clips)
        return torch.stack(
            [
                self.project(p["frame_projection"], frames, sentences, similarity),
                self.project(p["clip_projection"], whole, sentences, similarity),
            ]
        )

    def judge_frames(self, p, frames):
        """[b, k, h, w, c] -> features [b, d], the mean of the frames'."""
        images = trunk(p["trunk"], frames.flatten(0, 1), self.frame_sides)
        images = functional.leaky_relu(convolution(p["shapes"], images), SLOPE)
        features = torch.cat([images.amax((1, 2)), pool(p["last"], images, self.frame_positions)], -1)
        return features.unflatten(0, frames.shape[:2]).mean(1)

    def judge_clip(self, p, clips):
        """[b, t, h, w, c] -> features [b, d]."""
        images = clips.flatten(0, 1).permute(0, 3, 1, 2)
        small = functional.avg_pool2d(images, self.pooling).permute(0, 2, 3, 1).unflatten(0, clips.shape[:2])
        change = torch.diff(small, dim=1, prepend=small[:, :1])
        images = trunk(p["trunk"], torch.cat([small, change], -1).flatten(0, 1), self.clip_sides)
        scenes = images.unflatten(0, clips.shape[:2]).transpose(0, 1)
        states = conv_lstm(p["conv_lstm"], scenes)
        return pool(p["last"], torch.cat([states.mean(0), states[-1]], -1), self.clip_positions)

    def caption_similarity(self, sentences):
        """How much the other clips say the same as each: [b, s] -> weights [b, b], rows of sum 1."""
        icnr = sentences @ sentences.T * sentences.shape[-1] ** -0.5
        return icnr.masked_fill(torch.eye(len(icnr), dtype=torch.bool), -torch.inf).softmax(-1)

    def project(self, p, features, sentences, similarity):
        """Features [b, d], sentences [m, s], fellows [b, b] -> scores [b, m]."""
        apart = (features[:, None] - features[None]).abs()
        features = torch.cat([features, torch.bmm(similarity[:, None], apart)[:, 0]], -1)
        embedded = dense(p["embed"], sentences)
        return dense(p["alone"], features) + features @ embedded.T * features.shape[-1] ** -0.5


def trunk(p, images, sides):
    """Convolutions of stride 2: images [n, h, w, c] -> [n, h / 2^k, w / 2^k, d]."""
    for side in sides:
        images = functional.leaky_relu(convolution(p[f"down_{side}"], images, stride=2), SLOPE)
    return images


def pool(p, images, positions):
    """A convolution that knows where it is and how varied the batch, and a mean: [n, h, w, c] -> [n, d]."""
    images = torch.cat([images, positions.expand(len(images), *positions.shape)], -1)
    deviation = torch.sqrt(images.var(0, correction=0) + 1e-8).mean()
    images = torch.cat([images, deviation.expand(*images.shape[:-1], 1)], -1)
    return functional.leaky_relu(convolution(p, images), SLOPE).mean((1, 2))
