"""When a run shows what it paints."""

import pytest

from t2v_jax import config as configuration
from t2v_jax.training.reports import sheet_is_due


@pytest.mark.parametrize(
    ("sample_every", "steps"),
    [
        (500, [32, 64, 128, 256, 500, 1000]),
        (100, [32, 64, *range(100, 1001, 100)]),
        (1000, [32, 64, 128, 256, 512, 1000]),
    ],
)
def test_sheets_come_soon_then_regularly(sample_every, steps):
    config = configuration.default()
    config.sample_every = sample_every
    assert [step for step in range(1, 1001) if sheet_is_due(config, step)] == steps
