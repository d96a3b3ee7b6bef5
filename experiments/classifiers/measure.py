"""How often a judge is right on real held-out clips, clean and flawed.

python experiments/classifiers/measure.py --world=moving_digits
"""

import numpy as np
from absl import app, flags
from clips import all_combinations, stack

from t2v_jax.data.source import drawn_worlds
from t2v_jax.evaluation.classifier import Classifier, align

_WORLD = flags.DEFINE_enum("world", None, [*drawn_worlds()], "The world to judge.", required=True)
_CLIPS = flags.DEFINE_integer("clips", 500, "Clips of each size.", lower_bound=1)

SIZES = (
    {"size": 64, "digit_size": 28, "frames": 16},
    {"size": 32, "digit_size": 14, "frames": 10},
)
FLAWS = {
    "clean": lambda clips, noise: clips,
    "noise, deviation 25": lambda clips, noise: clips + 25 * noise,
    "haze of level 60": lambda clips, noise: np.maximum(clips, 60) + 5 * noise,
    "ink of level 130": lambda clips, noise: clips * (130 / 255),
    "hard edges": lambda clips, noise: 255.0 * (clips > 90),
    "frozen": lambda clips, noise: clips[:, :1].repeat(clips.shape[1], axis=1),
}


def main(argv):
    """Prints a line for each size and flaw."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected argument {argv[1]!r}")
    classifier, rng = Classifier.shipped(_WORLD.value), np.random.default_rng(0)
    for sizes in SIZES:
        elements = [*all_combinations(_WORLD.value, "test", _CLIPS.value, **sizes)]
        clips, wanted = (
            stack(elements),
            np.array([[e[name] for name in classifier.attributes] for e in elements]),
        )
        noise = rng.standard_normal(clips.shape, np.float32)
        for name, flaw in FLAWS.items():
            flawed = flaw(clips.astype(np.float32), noise).clip(0, 255).astype(np.uint8)
            right = align(classifier.attributes, classifier(flawed).values[None], wanted)[0] == wanted
            shares = {**dict(zip(classifier.attributes, right.mean(0))), "all": right.all(1).mean()}
            told = ", ".join(f"{attribute} {share:.2%}" for attribute, share in shares.items())
            print(f"{sizes['size']} pixels, {name:20} {told}", flush=True)


if __name__ == "__main__":
    app.run(main)
