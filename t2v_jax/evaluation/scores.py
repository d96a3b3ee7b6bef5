"""Obedience and diversity of generated clips beside those of real ones, as JSON and text."""

import math
from typing import NamedTuple

import numpy as np

from t2v_jax.data.moving_digits import MOTIONS
from t2v_jax.evaluation import motion
from t2v_jax.evaluation.judge import DigitJudge

_Z = 1.959963984540054  # the normal distribution holds 95 % within so many standard deviations
MEASURES = ("digit", "motion", "both")
KINDS = ("handwriting", "place", "motion")


class Sample(NamedTuple):
    """Clips and what they were to show.

    `clips` uint8 [n, t, h, w, c] with their digits int [n] and motions int [n], an index into
    MOTIONS; `sets` uint8 [k, m, t, h, w, c]: m clips of each of k captions, for the diversity.
    """

    clips: np.ndarray
    digits: np.ndarray
    motions: np.ndarray
    sets: np.ndarray


def wilson_interval(right: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share, `right` of `total` > 0 (Wilson 1927), within [0, 1]."""
    share, z2 = right / total, _Z**2
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    spread = share * (1 - share) / total + z2 / (4 * total**2)
    half = _Z / (1 + z2 / total) * math.sqrt(spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def obedience(judge: DigitJudge, sample: Sample) -> dict:
    """Do the clips show what was asked for?

    {"digit", "motion", "both": {"share", "low", "high", "right", "clips"}} with 95 % intervals;
    "travel", the mean way between a clip's outermost places, in sides of the frame; "confusion",
    10 rows of 10 counts: of the clips wanted as digit i, how many show digit j.
    """
    digits, tracks = judge.digits(sample.clips), motion.tracks(sample.clips)
    digit, moves = digits == sample.digits, motion.motions(tracks) == sample.motions
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (sample.digits, digits), 1)
    return {
        **{name: _share(right) for name, right in zip(MEASURES, (digit, moves, digit & moves))},
        "travel": float(motion.travel(tracks).max(1).mean()),
        "confusion": confusion.tolist(),
    }


def diversity(sets: np.ndarray) -> dict:
    """How different clips of one caption are: the mean distance of two, averaged over captions.

    A caption leaves open by whose hand the digit is, where it moves and in which phase and pace;
    each has its own distance (root mean square), so that none can stand in for another:
      handwriting  of the digits' pictures, held still, in shares of full ink: 0 for a single glyph,
                   however it moves
      place        of the tracks' means, in sides of the frame: 0 where all move around one spot
      motion       of the tracks about their means: 0 for frozen clips, wherever they are
    A collapsed generator has 0 in all three. A distance of whole clips' pixels would reward frozen
    clips at various places, a single glyph at them, and noise. Handwriting far above that of real
    clips means wrong digits among the right ones.
    `sets` uint8 [k, m, t, h, w, c]: m > 1 clips of each of k captions.
    """
    distances = [[_mean_distance(vectors) for vectors in _respects(clips)] for clips in sets]
    return dict(zip(KINDS, np.mean(distances, axis=0).tolist()))


def score(judge: DigitJudge, sample: Sample) -> dict:
    """Obedience, and "diversity" with the number of its "captions" and "clips" of each."""
    captions, clips = sample.sets.shape[:2]
    spread = {**diversity(sample.sets), "captions": captions, "clips": clips}
    return {**obedience(judge, sample), "diversity": spread}


def compare(judge: DigitJudge, generated: dict, real: dict) -> dict:
    """The report, ready for JSON: the scores of both samples, and the ratio of the two.

    {"generated", "real": what `score` gave, "relative": {"digit", "motion", "both", "travel",
    "diversity": {"handwriting", "place", "motion"}}, "judge_accuracy": of `judge` on held-out real
    frames, {side of the frames, as text: share}}.
    """
    spread, real_spread = generated["diversity"], real["diversity"]
    relative = {
        **{name: generated[name]["share"] / real[name]["share"] for name in MEASURES},
        "travel": generated["travel"] / real["travel"],
        "diversity": {kind: spread[kind] / real_spread[kind] for kind in KINDS},
    }
    accuracy = {str(side): share for side, share in judge.held_out_accuracy.items()}
    return {"generated": generated, "real": real, "relative": relative, "judge_accuracy": accuracy}


def to_text(report: dict) -> str:
    """The report of `compare` as tables for the reader."""
    generated, real, relative = (report[key] for key in ("generated", "real", "relative"))
    spread = [scores["diversity"] for scores in (generated, real, relative)]
    heading = f"{'generated':>10}{'95 % interval':>17}{'real':>9}{'relative':>10}"
    return "\n".join(
        [
            f"{'obedience':14}{heading}",
            *(_share_line(name, generated, real, relative) for name in MEASURES),
            _line("travel", generated, real, relative),
            "",
            f"{'diversity':14}{heading.replace('95 % interval', ' ' * 13)}",
            *(_line(kind, *spread) for kind in KINDS),
            "",
            f"{'seen':14}{''.join(f'{digit:>5}' for digit in range(10))}",
            *(_confusion_line(digit, row) for digit, row in enumerate(generated["confusion"])),
            "",
            *_notes(report),
        ]
    )


def _notes(report) -> list[str]:
    clips, real_clips = (report[of]["both"]["clips"] for of in ("generated", "real"))
    accuracy = [f"{share:.1%} at {side} px" for side, share in report["judge_accuracy"].items()]
    spread = report["generated"]["diversity"]
    sets = f"{spread['captions']} sets of {spread['clips']}"
    return [
        f"{clips} generated clips, {real_clips} real ones of held-out digits.",
        f"digit: the judge's verdict, right on held-out real frames: {', '.join(accuracy)}.",
        f"motion: {' or '.join(MOTIONS)}, whichever way the ink reaches further.",
        "travel: how far it reaches, in sides of the frame.",
        f"diversity: mean distance of two clips of one caption, over {sets} clips.",
    ]


def _share(right: np.ndarray) -> dict:
    count, clips = int(right.sum()), len(right)
    low, high = wilson_interval(count, clips)
    return {"share": count / clips, "low": low, "high": high, "right": count, "clips": clips}


def _respects(clips) -> tuple[np.ndarray, ...]:
    """What clips of one caption may differ in, in the order of KINDS: each [m, numbers]."""
    tracks = motion.tracks(clips)
    places = tracks.mean(1)
    moves = tracks - places[:, None]
    pictures = motion.cut_out(clips, tracks) / 255
    return pictures.reshape(len(clips), -1), places, moves.reshape(len(clips), -1)


def _mean_distance(vectors: np.ndarray) -> float:
    """Mean root mean square distance of two of the m vectors: [m, numbers] -> a number."""
    distances = np.sqrt(((vectors[:, None] - vectors[None]) ** 2).mean(-1))
    return float(distances[np.triu_indices(len(vectors), 1)].mean())


def _share_line(name, generated, real, relative) -> str:
    share = generated[name]
    interval = f"{share['low']:.1%} to {share['high']:.1%}"
    ours, theirs = share["share"], real[name]["share"]
    return f"{name:14}{ours:10.1%}{interval:>17}{theirs:9.1%}{relative[name]:10.3f}"


def _line(name, generated, real, relative) -> str:
    return f"{name:14}{generated[name]:10.3f}{'':17}{real[name]:9.3f}{relative[name]:10.3f}"


def _confusion_line(digit, row) -> str:
    return f"{digit} wanted".ljust(14) + "".join(f"{count or '-':>5}" for count in row)
