"""How often the judges are right on real clips of held-out digits, clean and flawed.

python experiments/judges/measure.py
"""

import numpy as np
from absl import app, flags

from t2v_jax.data.moving_digits import MovingDigits
from t2v_jax.evaluation import motion
from t2v_jax.evaluation.judge import DigitJudge

_CLIPS = flags.DEFINE_integer("clips", 2000, "Clips of each world.", lower_bound=1)

WORLDS = (
    {"size": 32, "digit_size": 14, "frames": 10},
    {"size": 64, "digit_size": 28, "frames": 16},
)
FLAWS = {
    "clean": lambda clips, noise: clips,
    "noise, deviation 25": lambda clips, noise: clips + 25 * noise,
    "haze of level 60": lambda clips, noise: np.maximum(clips, 60) + 5 * noise,
    "ink of level 130": lambda clips, noise: clips * (130 / 255),
    "hard edges": lambda clips, noise: 255.0 * (clips > 90),
}


def main(argv):
    """Prints a line for each world and flaw."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected argument {argv[1]!r}")
    judge, rng = DigitJudge.shipped(), np.random.default_rng(0)
    for world in WORLDS:
        elements = list(MovingDigits("test", _CLIPS.value, **world))
        clips = np.stack([element["clip"] for element in elements])
        wanted = np.array([(element["digit"], element["motion"]) for element in elements])
        noise = rng.standard_normal(clips.shape, np.float32)
        for name, flaw in FLAWS.items():
            flawed = flaw(clips.astype(np.float32), noise).clip(0, 255).astype(np.uint8)
            verdicts = judge.digits(flawed), motion.motions(motion.tracks(flawed))
            digit, moves = np.mean(np.stack(verdicts, 1) == wanted, axis=0)
            print(f"{world['size']} pixels, {name:20} digit {digit:.2%}, motion {moves:.2%}")


if __name__ == "__main__":
    app.run(main)
