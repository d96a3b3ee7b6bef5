"""Shares, means and Fréchet distances, each with its 95 % interval and its value for every seed."""

import math

import numpy as np
import scipy.special

_Z = 1.959963984540054  # the normal distribution holds 95 % within so many standard deviations


def share(right: np.ndarray) -> dict:
    """Of verdicts bool [seeds, clips]: {"value", "low", "high", "by_seed", "right", "clips"}.

    The interval is Wilson's for all clips together: each is an independent draw of noise, and prompts
    in equal parts make it wider than need be, not narrower.
    """
    count, clips = int(right.sum()), right.size
    low, high = wilson_interval(count, clips)
    counts = {"right": count, "clips": clips}
    return {"value": count / clips, "low": low, "high": high, "by_seed": right.mean(1).tolist(), **counts}


def mean(values: np.ndarray) -> dict:
    """Of numbers [seeds, n]: {"value", "low", "high", "by_seed"}, Student's interval over all of them.

    "low" and "high" are None for a single number, which says nothing about the next one.
    """
    value, low, high = float(values.mean()), None, None
    if values.size > 1:
        half = scipy.special.stdtrit(values.size - 1, 0.975) * values.std(ddof=1) / math.sqrt(values.size)
        low, high = value - float(half), value + float(half)
    return {"value": value, "low": low, "high": high, "by_seed": values.mean(1).tolist()}


def relative(generated: dict, real: dict) -> dict:
    """A score of generated clips as a multiple of that of real ones: {"value", "low", "high"}.

    (RM of GODIVA, arXiv 2104.14806.) The interval is that of the generated clips alone; None where
    the real score is 0.
    """
    bounds = {name: generated[name] for name in ("value", "low", "high")}
    whole = real["value"]
    return {name: None if bound is None or not whole else bound / whole for name, bound in bounds.items()}


def wilson_interval(right: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share, `right` of `total` > 0 (Wilson 1927), within [0, 1]."""
    share, z2 = right / total, _Z**2
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    spread = share * (1 - share) / total + z2 / (4 * total**2)
    half = _Z / (1 + z2 / total) * math.sqrt(spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def frechet_distance(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The squared Fréchet distance of two samples of features, [n, f] and [m, f], as of normal ones.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^1/2) (Heusel et al., arXiv 1706.08500). It is above 0 for
    finite samples of one distribution too: set it beside that of two real samples as large.
    """
    means = ours.mean(0), theirs.mean(0)
    covariances = [np.cov(sample, rowvar=False) for sample in (ours, theirs)]
    root = _square_root(covariances[0])
    # (C1 C2)^1/2 has the trace of (C1^1/2 C2 C1^1/2)^1/2, which is symmetric.
    eigenvalues = np.linalg.eigvalsh(root @ covariances[1] @ root)
    overlap = np.sqrt(np.maximum(eigenvalues, 0)).sum()
    distance = np.sum((means[0] - means[1]) ** 2) + sum(map(np.trace, covariances)) - 2 * overlap
    return float(distance)


def _square_root(covariance: np.ndarray) -> np.ndarray:
    eigenvalues, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(eigenvalues, 0))) @ vectors.T
