"""What a training has learnt of a world, as numbers and as a line of a table."""

import json

import numpy as np
from worlds import SET

import t2v_jax
from t2v_jax.evaluation.statistics import share

TOLD = ("discriminator_loss", "margin", "penalty_weight")
_COLUMNS = ("world", "steps", "things", "directions", "D's loss", "margin", "penalty", "diversity")
HEADER = f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|"


def measure(world, workdir, step=None):
    """What the newest checkpoint of a workdir, or that of a step, has learnt of a `World`, in numbers."""
    params = t2v_jax.load(workdir, step)
    right = world.right(np.asarray(t2v_jax.generate(params, world.prompts)))
    return {
        "things": share(right[None, :, 0]),
        "directions": share(right[None, :, 1]),
        **game(workdir, step),
        "diversity": diversity(params, world.sets),
    }


def game(workdir, step=None):
    """The means of the game's metrics over the newest fifth of the steps up to one."""
    lines = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    lines = [line for line in lines if step is None or line["step"] <= step]
    lines = [line for line in lines if "real_score" in line]  # not those of the caption match
    last = lines[-1]["step"]
    lines = [
        line | {"margin": line["real_score"] - line["fake_score"]}
        for line in lines
        if line["step"] > 0.8 * last
    ]
    means = {name: float(np.mean([line.get(name, np.nan) for line in lines])) for name in TOLD}
    return {"steps": last, **means}


def diversity(params, sets):
    """How far two clips of a caption are apart, as a share of what real ones are."""
    prompts = [caption for caption in sets for _ in range(SET)]
    clips = np.asarray(t2v_jax.generate(params, prompts, seed=1))
    real = np.concatenate(list(sets.values()))
    return apart(clips) / apart(real)


def apart(clips):
    """The mean root mean square difference of two of each SET clips side by side: uint8 [n, ...]."""
    groups = clips.reshape(-1, SET, clips[0].size).astype(np.float32)
    pairs = [np.sqrt(np.square(groups[:, i] - groups[:, j]).mean(1)) for i in range(SET) for j in range(i)]
    return float(np.mean(pairs))


def row(name, numbers):
    """A line of the table."""
    things, directions = (
        f"{of['value']:.1%} ({of['low']:.0%} - {of['high']:.0%})"
        for of in (numbers["things"], numbers["directions"])
    )
    told = [f"{numbers[key]:.2f}" for key in (*TOLD, "diversity")]
    return f"| {' | '.join([name, str(numbers['steps']), things, directions, *told])} |"
