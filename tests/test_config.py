"""Configurations: what cannot be is refused by name, and every file in configs/ fits together."""

import math
import pathlib
import runpy

import jax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2v_jax import config as configuration
from t2v_jax.config.reference import field_names
from t2v_jax.data.pipeline import clip_batches
from t2v_jax.data.videos import prepared as prepared_clips
from t2v_jax.data.videos.decode import ClipSpec
from t2v_jax.data.videos.folder import read_folder
from t2v_jax.errors import UsageError
from t2v_jax.inference.model import SHIPPED, load_definition
from t2v_jax.training import first_state, setup, steps
from tests.data.tfds import emoji
from tests.data.videos import files as videos

CONFIGS = sorted((pathlib.Path(__file__).parent.parent / "configs").glob("*.py"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch_size", 0),
        ("batch_size", -4),
        ("steps", 0),
        ("seed", -1),
        ("seed", 2**32),
        ("keep_checkpoints", 0),
        ("data.world", "nosuch"),
        ("data.size", 8),
        ("data.size", 24),
        ("data.size", 96),
        ("data.digit_size", -1),
        ("data.frames", 0),
        ("text.width", 0),
        ("text.model", "words"),
        ("text.extra_words", (1,)),
        ("text.extra_words", ("",)),
        ("text.extra_words", ("ball",)),  # without vectors that have it
        ("generator.attention", ""),
        ("generator.painter_channels", (48, 24, 0)),
        ("generator.painter_channels", (48, 24, "x")),
        ("discriminator.frame_channels", ()),
        ("discriminator.clip_channels", (8,) * 7),
        ("discriminator.clip_pooling", 3),
        ("discriminator.clip_pooling", -1),
        ("generator.noise_width", 7),
        ("data.clips_per_caption", 0),
        ("data.clips_per_caption", 5),  # of a batch of 32
        ("generator.heads", 0),
        ("loss.penalty_every", 0),
        ("schedule.max_start_offset", -1),
        ("loss.reconstruction_weight", -1.0),
        ("loss.reconstruction_weight", 1.0),  # beside the default's late starts
        ("loss.energy_weight", -1.0),
        ("optimizer.generator_learning_rate", math.nan),
        ("optimizer.generator_learning_rate", math.inf),
        ("optimizer.discriminator_learning_rate", 0.0),
        ("loss.penalty_weight", 0.0),
        ("loss.balance", 1.0),
        ("optimizer.beta_1", 1.0),
        ("optimizer.beta_2", -0.1),
        ("optimizer.ema_decay", 1.5),
        ("schedule.stages", ()),
        ("schedule.stages", (5,)),
        ("schedule.stages", ((0, 4, 2),)),
        ("schedule.stages", ((1, 4, 2, 1),)),
        ("schedule.stages", ((0, 4, 8, 1),)),
        ("schedule.stages", ((0, 32, 2, 1),)),
        ("schedule.stages", ((0, 4, 2, 0),)),
        ("schedule.stages", ((0, 4, 2, 1.5),)),
        ("schedule.stages", ((0, 4, 2, 1), (0, 8, 2, 1))),
        ("mesh.data", 0),
        ("mesh.model", 0),
        ("mesh.model", -1),
    ],
)
def test_impossible_value_is_named(name, value):
    config = configuration.default()
    config.update_from_flattened_dict({name: value})
    with pytest.raises(UsageError) as caught:
        configuration.check(config)
    assert str(caught.value).startswith(f"config.{name} is ") and "expected" in str(caught.value)
    assert "\n" not in str(caught.value)


ANY_VALUE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.text(max_size=20),
    st.lists(st.integers(-1, 5000), max_size=4).map(tuple),
    st.lists(st.tuples(*[st.integers(-1, 20)] * 4), max_size=3).map(tuple),
)


@given(st.sampled_from(sorted(field_names())), ANY_VALUE)
@settings(max_examples=300)
def test_any_value_of_any_field_is_possible_or_named(name, value):
    config = configuration.default()
    try:
        config.update_from_flattened_dict({name: value})
    except (TypeError, ValueError):
        return  # of another type, which the command line tells
    try:
        configuration.check(config)
    except UsageError as error:
        told = str(error)
    else:
        return
    assert told.startswith("config.") and "; expected " in told and "\n" not in told


def test_clips_per_caption_are_of_sources_that_know_them():
    config = configuration.default()
    config.data.clips_per_caption = 4
    for world in ("two_digits", "clips"):
        config.data.world = world
        configuration.check(config)
    config.data.world = "tfds"
    with pytest.raises(UsageError, match="config.data.clips_per_caption is 4; expected 1"):
        configuration.check(config)


def test_default_is_possible_and_locked():
    config = configuration.default()
    assert configuration.check(config) == configuration.check(config)
    with pytest.raises(AttributeError):
        config.loss.nosuch = 1


@given(st.floats(1e-9, 10), st.integers(1, 2**31 - 1), st.sampled_from(["gru", "mean"]))
def test_json_keeps_everything(rate, steps, sentence):
    config = configuration.default()
    config.optimizer.generator_learning_rate, config.steps, config.text.sentence = rate, steps, sentence
    config = configuration.check(config)
    assert configuration.from_json(configuration.to_json(config)) == config


@pytest.mark.parametrize("fields", [[], 3, {"nosuch": 1}, {"data": 3}, {"steps": "x"}, {"steps": 0}])
def test_damaged_json_is_refused(fields):
    with pytest.raises(UsageError) as caught:
        configuration.from_json(fields)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 200


def test_differences_name_the_field():
    ours, theirs = configuration.default(), configuration.default()
    ours.optimizer.beta_1 = 0.5
    assert configuration.differences(ours, theirs) == {"optimizer.beta_1": (0.5, 0.0)}
    assert configuration.differences(ours, ours) == {}


def shapes(tree):
    return jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), tree)


def prepared(directory):
    """A prepared folder of two clips."""
    folder = directory / "folder"
    for caption in ("a square goes", "a box moves"):
        (folder / caption).mkdir(parents=True)
        (folder / caption / "film.gif").write_bytes(videos.encode(videos.moving(), ".gif"))
    prepared_clips.prepare(read_folder(folder), directory / "prepared", ClipSpec())
    return directory / "prepared"


@pytest.mark.parametrize("name", ["moving-digits", "pixel-characters"])
def test_what_ships_is_made_by_its_config(name):
    path = CONFIGS[0].with_name(f"{name.replace('-', '_')}.py")
    config = runpy.run_path(str(path))["get_config"]()
    shipped, _ = load_definition(SHIPPED / name)
    assert configuration.differences(configuration.check(config), shipped) == {}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_shapes_of_every_run_fit(path, tmp_path):
    config = runpy.run_path(str(path))["get_config"]()
    if config.data.world == "tfds":
        pytest.importorskip("tensorflow_datasets", reason="needs the extra tfds")
        packages = tmp_path / "downloads" / "manual"
        packages.mkdir(parents=True)
        emoji.packages(packages)
        config.data.directory = str(tmp_path)
    if config.data.world == "clips":
        config.data.directory = str(prepared(tmp_path))
    run = setup.set_up(configuration.check(config), tmp_path / "run")
    state = first_state.abstract_state(run)
    batches = clip_batches(run.source, run.language, config.batch_size, threads=0)
    batch = next(batches)
    layout = jax.tree.map(lambda leaf: leaf.sharding, state)
    starts = [first for first, *_ in config.schedule.stages]
    for variant in {steps.variant_at(config, first + i) for first in starts for i in (0, 3)}:
        after, metrics = jax.eval_shape(steps.compile_step(run, layout, *variant), state, batch, 0.5)
        assert shapes(after) == shapes(state)
        assert {value.shape for value in metrics.values()} == {()}
