"""On paper: how long a training step takes on many accelerators, from what compile.py has counted.

    python experiments/accelerator/estimate.py [--clips=32] [--counted=experiments/accelerator/counted.json]

Prints, for each config, the least time that a step without penalties can take on 1 to 256 devices of
`--clips` clips each, how much of it is communication, and from how many clips of each device on computing
takes longer than that. README.md beside this file has the assumptions and their sources.
"""

import json
import math
import pathlib
from typing import NamedTuple

from absl import app, flags

HERE = pathlib.Path(__file__).parent
COUNTED = flags.DEFINE_string("counted", str(HERE / "counted.json"), "what compile.py wrote")
CLIPS = flags.DEFINE_integer("clips", 32, "of each device", lower_bound=1)

COMPILED, SHARED = 256, 8  # clips and devices of the programs that are read
NUMBERS = (1, 8, 64, 256)
UNSEEN = 12  # turns of the loop whose length a step draws: half of them 0, the others 0 to 48


class Chip(NamedTuple):
    """FLOP/s of bfloat16, bytes/s of memory, seconds a launch and a turn of a loop of unknown length."""

    name: str
    flops: float
    bytes: float
    launch: float
    turn: float


H100 = Chip("H100", flops=989e12, bytes=3.35e12, launch=3e-6, turn=30e-6)
V5E = Chip("v5e", flops=197e12, bytes=819e9, launch=0, turn=0)
CHIPS = {"cuda": H100, "tpu": V5E}


def computing(chip, row, clips):
    """Seconds of a device's own work on so many clips."""
    share = clips * SHARED / COMPILED
    work = max(share * row["flops"] / chip.flops, share * row["bytes"] / chip.bytes)
    burn_in = UNSEEN * bool(row["unknown"])
    launches = (row["launches"] + (burn_in - 1) * row["turn"] if burn_in else row["launches"]) * chip.launch
    return max(work, launches) + burn_in * chip.turn


def communicating(platform, row, count):
    """Seconds of all collectives of a step."""
    return sum(
        number * latency(platform, kind, count) + moved(kind, size, count) / bandwidth(platform, count)
        for kind, (number, size) in row["collectives"].items()
    )


def moved(kind, size, count):
    """Bytes that a device sends: in a ring twice as many to reduce as to gather."""
    return size * (2 if kind == "all-reduce" else 1) * (count - 1) / count


def bandwidth(platform, count):
    """Bytes/s that a device sends."""
    if platform == "tpu":
        return 200e9
    return 450e9 if count <= 8 else 400e9  # a node's eight cards, after NVLink has added up within it


def latency(platform, kind, count):
    """Seconds of a collective of no size."""
    if count == 1:
        return 0
    if platform == "tpu":  # a torus, at most 16 x 16: to the far side in each direction, and back
        side = math.isqrt(count - 1) + 1
        return 1e-6 * 2 * (side // 2) * (2 if kind == "all-reduce" else 1)
    nodes = max(1, count // 8)
    if kind != "all-reduce":  # among a few neighbours
        return (3.6 + (2.7 if nodes > 1 else 0.47)) * 1e-6
    within = 0.52 * (1.8 if nodes > 1 else 1)
    return (4.4 + 2 * (7 * within + math.log2(nodes) * 5.0)) * 1e-6


def rows(counted):
    """(config, platform, what each of eight devices does) of the steps without penalties."""
    chosen = [row for row in counted if row["program"] == "step" and row["devices"] == SHARED]
    return [(row["config"], row["platform"], row) for row in chosen]


def overtaken(platform, row):
    """The fewest clips of each of 256 devices whose computing takes longer than their communication."""
    waiting = communicating(platform, row, max(NUMBERS))
    return next((clips for clips in range(1, 4096) if computing(CHIPS[platform], row, clips) > waiting), None)


def main(_):
    counted = json.loads(pathlib.Path(COUNTED.value).read_text())
    print("| config | chip | " + " | ".join(f"{count}: ms, clips/s, comm." for count in NUMBERS) + " |")
    print("|---" * (2 + len(NUMBERS)) + "|")
    for config, platform, row in rows(counted):
        own, cells = computing(CHIPS[platform], row, CLIPS.value), []
        for count in NUMBERS:
            waiting = communicating(platform, row, count) if count > 1 else 0
            rate = CLIPS.value * count / (own + waiting)
            cells.append(f"{1e3 * (own + waiting):.2f}, {rate:,.0f}, {waiting / (own + waiting):.0%}")
        print(f"| {config} | {CHIPS[platform].name} | {' | '.join(cells)} |")
    print("\nComputing takes longer than communication among 256 from so many clips of each on:")
    for config, platform, row in rows(counted):
        print(f"- {config}, {CHIPS[platform].name}: {overtaken(platform, row)}")


if __name__ == "__main__":
    app.run(main)
