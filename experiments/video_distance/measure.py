"""Fréchet video distance (Unterthiner et al. 2018, arXiv 1812.01717) of generated clips, and of real ones.

    python experiments/video_distance/measure.py --model=moving-digits --output=FILE.json

Of twice so many real clips each second one belongs to the reference. The others are compared with it as they
are, and as the model paints their captions: both distances are of equally many clips, on which they depend.
"""

import json
from collections.abc import Callable

import i3d
import numpy as np
from absl import app, flags
from ml_collections import ConfigDict
from tqdm import tqdm

import t2v_jax
from t2v_jax.data.source import make_source
from t2v_jax.evaluation.statistics import frechet_distance
from t2v_jax.runtime.files import write_atomically

MODEL = flags.DEFINE_string("model", None, "a shipped one, a saved one or a training workdir", required=True)
SPLIT = flags.DEFINE_string("split", "test", "of the real clips: test, held_out or train")
DIRECTORY = flags.DEFINE_string("directory", "", "TFDS's data_dir, for a model of one of its data sets")
CLIPS = flags.DEFINE_integer("clips", 1_000, "of a side", lower_bound=2)
SEEDS = flags.DEFINE_multi_integer("seed", [0], "of the noise", lower_bound=0)
OUTPUT = flags.DEFINE_string("output", None, "also write the distances as JSON here")

BATCH = 8  # clips that I3D sees at once


def real_clips(config, number):
    """So many clips of a model's world, as far apart in it as can be: uint8 [n, t, h, w, c], captions."""
    config = ConfigDict(config)
    config.data.directory = DIRECTORY.value
    source = make_source(config, SPLIT.value)
    if number > len(source):
        raise app.UsageError(f"the split has {len(source)} clips, fewer than {number}: lower --clips")
    examples = [source[place] for place in np.linspace(0, len(source) - 1, number).astype(int)]
    return np.stack([example["clip"] for example in examples]), [example["caption"] for example in examples]


def distances(params, see: Callable) -> dict:
    """Of the model's clips for each seed, and of real ones."""
    clips, captions = real_clips(params.config, 2 * CLIPS.value)
    asked = captions[::2]

    def features(title, clips):
        starts = tqdm(range(0, len(clips), BATCH), title)
        return np.concatenate([see(clips[start : start + BATCH]) for start in starts])

    reference, real = features("reference", clips[1::2]), features("real", clips[::2])
    painted = {seed: np.asarray(t2v_jax.generate(params, asked, seed)) for seed in SEEDS.value}
    return {
        "split": SPLIT.value,
        "clips": CLIPS.value,
        "real": frechet_distance(real, reference),
        "generated": [
            frechet_distance(features(f"seed {seed}", sample), reference) for seed, sample in painted.items()
        ],
    }


def main(_):
    found = json.dumps(distances(t2v_jax.load(MODEL.value), i3d.load()), indent=1)
    print(found)
    if OUTPUT.value:
        write_atomically(OUTPUT.value, f"{found}\n".encode())


if __name__ == "__main__":
    app.run(main)
