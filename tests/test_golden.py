"""What ships stays what it is: the same prompt and seed give the frames that they gave before."""

import json
import pathlib

import numpy as np
import pytest

import t2v_jax
from t2v_jax import config as configuration
from t2v_jax.inference import model

GOLDEN = pathlib.Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", model.shipped())
def test_shipped_model_gives_its_golden_frames(name):
    with np.load(GOLDEN / f"{name}.npz") as golden:
        clip = t2v_jax.generate(t2v_jax.load(name), str(golden["prompt"]), seed=0)
        difference = np.abs(np.asarray(clip, int) - golden["clip"])
    assert difference.max() <= 1


@pytest.mark.parametrize("name", model.shipped())
def test_shipped_config_names_every_field_and_no_private_path(name):
    written = json.loads((model.SHIPPED / name / "config.json").read_text())
    assert written == json.loads(json.dumps(configuration.to_json(configuration.from_json(written))))
    assert not written["data"]["directory"]
    assert not pathlib.Path(written["init_from"]).is_absolute()
