"""The health of a run: what is lost is reported once, what passes is not."""

import pytest

from t2v_jax.training.health import PATIENCE, Health
from tests import example

FINE = {"discriminator_loss": 0.5, "penalty_weight": 1.0, "diversity": 0.2, "real_diversity": 0.2}
SICK = {"won": {"discriminator_loss": 0.05, "penalty_weight": 20.0}, "collapsed": {"diversity": 0.01}}
TOLD = {"won": "D tells nearly all generated clips", "collapsed": "generated clips hardly differ"}


def told(readings):
    """The warnings of a run whose readings, changes of FINE, are 100 steps apart."""
    health = Health(example.config())
    return [line for n, changes in enumerate(readings) for line in health.update(100 * n, FINE | changes)]


@pytest.mark.parametrize("sign", SICK)
def test_what_lasts_is_told_once_with_what_to_do(sign):
    (line,) = told([{}] + 2 * (PATIENCE // 100 + 1) * [SICK[sign]])
    assert line.startswith("since step 100 ") and TOLD[sign] in line
    assert "new --workdir" in line and "config." in line


@pytest.mark.parametrize("sign", SICK)
def test_what_passes_is_not_told(sign):
    spell = (PATIENCE // 100) * [SICK[sign]]
    assert told([*spell, {}, *spell]) == []


def test_the_limit_counts_in_units_of_an_undecided_discriminator():
    """The same loss says nothing of hinge, whose undecided D has 2, and not ln 2."""
    health = Health(example.config(kind="hinge"))
    for step in range(0, 1000, 100):
        assert health.update(step, FINE | {"discriminator_loss": 0.35}) == []
    later = [health.update(step, FINE | {"discriminator_loss": 0.25}) for step in range(1000, 2000, 100)]
    assert "loss 0.25" in str(later)
