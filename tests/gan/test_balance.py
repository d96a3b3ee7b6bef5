"""Balance: the penalties grow while D wins, fall back when it does not, and are bounded."""

import numpy as np
import pytest

from t2v_jax import registry
from t2v_jax.gan import balance
from tests import example


def scales(value, steps, start=1.0, **changes):
    config, scale, seen = example.config(**changes).loss, start, []
    for _ in range(steps):
        scale = balance.steered(config, scale, value)
        seen.append(float(scale))
    return np.array(seen)


def test_the_penalties_of_a_winning_discriminator_grow_up_to_a_bound():
    grown = scales(0.05, 400)
    assert np.all(np.diff(grown) >= 0) and grown[200] > 10
    np.testing.assert_allclose(grown[-1], balance.STRONGEST, rtol=1e-6)


def test_they_fall_back_to_the_schedule_in_balance():
    fallen = scales(0.6, 400, start=balance.STRONGEST)
    assert np.all(np.diff(fallen) <= 0) and fallen[200] < 20 and fallen[-1] == 1


def test_the_further_ahead_it_is_the_faster_they_grow():
    assert scales(0.05, 50)[-1] > scales(0.25, 50)[-1] > 1 == scales(0.36, 50)[-1]


def test_a_discriminator_that_errs_by_far_undoes_no_more():
    np.testing.assert_allclose(scales(30.0, 1, start=50.0), scales(np.log(2), 1, start=50.0), rtol=1e-6)


@pytest.mark.parametrize("kind", registry.names("loss"))
def test_every_loss_has_the_same_balance(kind):
    undecided = float(registry.resolve("loss", kind).discriminator(np.zeros(()), np.zeros(())))
    low, high = (scales(share * undecided, 10, start=2.0, kind=kind)[-1] for share in (0.4, 0.6))
    assert low > 2 > high


def test_without_a_balance_the_schedule_stays():
    assert set(scales(0.0, 20, balance=0.0)) == {1.0}
