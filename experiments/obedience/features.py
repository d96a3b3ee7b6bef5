"""How different the clips of one caption are in what D sees of them, beside real ones.

    python experiments/obedience/features.py --model=moving-digits

Prints, for the features of D's frame judge and of its clip judge, how far two generated clips of a caption
are apart on average, in each feature as a share of what real clips are: the median and the 5 % and 95 %
quantiles over the features; and the energy distance that `config.loss.energy_weight` weighs. The model needs
its D.
"""

import jax
import jax.numpy as jnp
import numpy as np
from absl import app, flags

import t2v_jax
from t2v_jax.data.source import make_source
from t2v_jax.evaluation import prompts as prompts_of
from t2v_jax.gan.gradients import to_unit_range
from t2v_jax.gan.losses import energy_distance
from t2v_jax.inference.model import load_discriminator
from t2v_jax.networks.discriminator import Discriminator, distances

MODEL = flags.DEFINE_string("model", "moving-digits", "a shipped model, a saved one, or a training workdir")
CAPTIONS, CLIPS = 10, 64


def reader(model, params):
    """What D sees in clips uint8 [n, t, h, w, c] of so many prompts: a function to features [n, d]."""
    arrays = load_discriminator(model)
    if not arrays:
        raise app.UsageError(f"--model={model} has no discriminator.npz: expected a model kept with its D")
    network = Discriminator(params.config, params.language.vocabulary_size)
    frames, scored = params.config.data.frames, params.config.schedule.stages[-1][3]
    look = np.linspace(0, frames - 1, scored + 2).round().astype(int)[1:-1]

    @jax.jit
    def see(clips, captions):
        return network.apply(arrays, to_unit_range(clips), captions, look).features

    return lambda clips, prompts: see(clips, params.language.encode(prompts))


def apart(features):
    """The mean distance of two of n: [n, d] -> [d]."""
    weights = (1 - jnp.eye(len(features))) / (len(features) - 1)
    return distances(features, weights).mean(0)


def main(_):
    params = t2v_jax.load(MODEL.value)
    see, world = reader(MODEL.value, params), make_source(params.config, "test")
    asked, paint = prompts_of.repeated(world, CAPTIONS, CLIPS), prompts_of.real_clips(world)
    spreads, energies, alike = [], [], jnp.ones((CLIPS, CLIPS), bool)
    for start in range(0, len(asked), CLIPS):
        sample = asked[start : start + CLIPS]
        prompts = [prompt.text for prompt in sample]
        clips = paint(sample, 0, params.config.data.frames), np.asarray(t2v_jax.generate(params, prompts))
        real, fake = (see(part, prompts) for part in clips)
        spreads.append([apart(fake), apart(real)])
        energies.append(energy_distance(real, fake, alike, alike / CLIPS).mean())
    fake, real = np.mean(spreads, axis=0)
    frame_discriminator = 2 * params.config.discriminator.frame_channels[-1]
    for name, part in (
        ("frame judge", slice(frame_discriminator)),
        ("clip judge", slice(frame_discriminator, None)),
    ):
        low, median, high = np.quantile(fake[part] / real[part], (0.05, 0.5, 0.95))
        print(f"{name:<12} {median:.2f} ({low:.2f} - {high:.2f})")
    print(f"energy distance {np.mean(energies):.4f}")


if __name__ == "__main__":
    app.run(main)
