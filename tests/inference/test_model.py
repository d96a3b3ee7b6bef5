"""Models: load, save and `generate`, a pure function of parameters, prompts and seed."""

import itertools
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import t2v_jax
from t2v_jax.errors import UsageError
from t2v_jax.inference import generation, model
from t2v_jax.inference.stream import _next_frame

PROMPTS = [
    "digit 3 is up and down.",
    "the digit 7 is moving left and right",
    "digit 0 is left and right.",
    "digit 5 is up and down.",
    "the digit 1 is moving up and down",
]


@pytest.fixture(scope="module")
def params(trained):
    return t2v_jax.load(trained)


@pytest.fixture(scope="module")
def five(params):
    return t2v_jax.generate(params, PROMPTS, seed=1)


@pytest.fixture(scope="module")
def saved(params, tmp_path_factory):
    """The model as a directory of its own."""
    directory = tmp_path_factory.mktemp("models") / "small"
    t2v_jax.save(params, directory)
    return directory


def levels(ours, theirs):
    """The largest difference between two videos, in levels of 255."""
    return np.abs(np.asarray(ours, int) - np.asarray(theirs, int)).max()


def test_video_has_the_promised_form(params, five):
    assert five.shape == (5, 4, 16, 16, 1) and five.dtype == jnp.uint8
    alone = t2v_jax.generate(params, PROMPTS[0], seed=1)
    assert alone.shape == (4, 16, 16, 1)
    assert levels(alone, five[0]) <= 1


def test_video_depends_on_prompt_seed_and_place_alone(params, five):
    many = t2v_jax.generate(params, PROMPTS + PROMPTS * 13, seed=1)
    assert len(many) == 70
    assert levels(many[:5], five) <= 1
    swapped = t2v_jax.generate(params, [PROMPTS[4], *PROMPTS[1:4], PROMPTS[0]], seed=1)
    assert levels(swapped[1:4], five[1:4]) <= 1
    assert levels(many[65], five[0]) > 1  # the same prompt in another place


def test_another_seed_is_another_video(params, five):
    again = t2v_jax.generate(params, PROMPTS, seed=1)
    np.testing.assert_array_equal(again, five)
    assert (t2v_jax.generate(params, PROMPTS, seed=2) != five).any()
    assert (t2v_jax.generate(params, PROMPTS, seed=2**32 - 1) != five).any()


def test_video_may_be_longer_than_training(params, five):
    longer = t2v_jax.generate(params, PROMPTS, seed=1, frames=7)
    assert longer.shape == (5, 7, 16, 16, 1)
    assert levels(longer[:, :4], five) <= 1


def test_compiles_once_per_frames_and_power_of_two(params):
    t2v_jax.generate(params, PROMPTS[:3], seed=3)
    t2v_jax.generate(params, PROMPTS[:1] * 70, seed=3)
    before = generation._paint.alone._cache_size()
    for count, seed in ((3, 4), (4, 5), (68, 6)):
        t2v_jax.generate(params, PROMPTS[:1] * count, seed=seed)
    assert generation._paint.alone._cache_size() == before
    t2v_jax.generate(params, PROMPTS[:2], seed=3)
    assert generation._paint.alone._cache_size() == before + 1


def test_params_are_a_pytree(params, five):
    doubled = jax.tree.map(lambda leaf: leaf * 2, params)
    assert doubled.language == params.language
    assert (t2v_jax.generate(doubled, PROMPTS, seed=1) != five).any()
    moved = jax.device_put(params, jax.devices()[0])
    np.testing.assert_array_equal(t2v_jax.generate(moved, PROMPTS, seed=1), five)
    jitted = jax.jit(lambda params, seed: t2v_jax.generate(params, PROMPTS, seed=seed))
    assert levels(jitted(params, 1), five) <= 1


@pytest.mark.parametrize(
    ("prompts", "options", "message"),
    [
        ([], {}, "no prompts"),
        ("", {}, "no words"),
        (["digit 3 is up and down.", " "], {}, "no words"),
        (PROMPTS[0], {"frames": 0}, "frames=0"),
        (PROMPTS[0], {"seed": -1}, "seed=-1"),
        (PROMPTS[0], {"seed": 2**32}, "seed=4294967296"),
        (PROMPTS[0], {"seed": 1.5}, "seed=1.5; expected a whole number"),
        (PROMPTS[0], {"seed": np.int64(-1)}, "seed=-1; expected 0"),
        (PROMPTS[0], {"seed": np.int64(2**40)}, "seed=1099511627776"),
        (PROMPTS[0], {"seed": None}, "seed=None"),
        (PROMPTS[0], {"frames": 1.5}, "frames=1.5; expected a whole number"),
        (PROMPTS[0], {"frames": "4"}, "frames='4'"),
        (PROMPTS[0], {"frames": 10**9}, "frames=1000000000; expected less: that takes .* of memory"),
        (5, {}, "expected a sentence or a sequence of sentences, got int"),
        (None, {}, "got NoneType"),
        (iter(PROMPTS), {}, "sequence of sentences, got list_iterator"),
        ([PROMPTS[0], 5], {}, "expected a sentence as text, got int"),
        ("\ufdfa" * 990 + " digit", {}, "17826 characters, expected at most 1000"),
    ],
)
def test_bad_request_is_refused(params, prompts, options, message):
    with pytest.raises(UsageError, match=message):
        t2v_jax.generate(params, prompts, **options)


def test_params_are_shown_in_one_line(params):
    assert repr(params).startswith("Model(moving_digits, 4 frames of 16 x 16 x 1, ")
    assert len(repr(params)) < 100


def test_unknown_word_is_told_and_not_heard(params):
    with pytest.warns(generation.UnknownWord, match=r"'digitt' is unknown .*digit for 'digitt'"):
        clip = t2v_jax.generate(params, "digitt 3 is up and down.")
    np.testing.assert_array_equal(clip, t2v_jax.generate(params, "3 is up and down."))


def test_saved_model_paints_the_same(saved, five):
    weights = np.load(saved / f"{model.WEIGHTS}.npz")
    assert {weights[name].dtype for name in weights.files} == {np.dtype(np.float16)}
    again = t2v_jax.generate(t2v_jax.load(saved), PROMPTS, seed=1)
    assert levels(again, five) <= 2  # half precision


def test_saving_overwrites_nothing(params, saved):
    with pytest.raises(UsageError, match="is there already"):
        t2v_jax.save(params, saved)


def test_unknown_model_names_the_shipped_ones():
    with pytest.raises(UsageError) as caught:
        t2v_jax.load("nosuch")
    for name in model.shipped():
        assert name in str(caught.value)


@pytest.mark.parametrize("name", model.shipped())
def test_a_shipped_model_names_no_folder_of_its_maker(name):
    config, _ = model.load_definition(model.SHIPPED / name)
    assert not config.data.directory


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("name", ["weights.npz", "config.json", "tokenizer.model", "language.json"])
@pytest.mark.parametrize("harm", [truncate, lambda path: path.write_bytes(b"")])
def test_damaged_model_names_the_file(saved, tmp_path, name, harm):
    directory = shutil.copytree(saved, tmp_path / "copy")
    harm(directory / name)
    with pytest.raises(UsageError) as caught:
        t2v_jax.load(directory)
    assert name in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("harm", [truncate, lambda path: path.write_bytes(b"")])
def test_damaged_discriminator_is_named_where_it_is_needed(params, five, trained, tmp_path, harm):
    directory = tmp_path / "model"
    t2v_jax.save(params, directory, model.load_discriminator(trained))
    harm(directory / f"{model.DISCRIMINATOR}.npz")
    assert levels(t2v_jax.generate(t2v_jax.load(directory), PROMPTS, seed=1), five) <= 2
    with pytest.raises(UsageError, match=model.DISCRIMINATOR):
        model.load_discriminator(directory)


def test_weights_of_another_model_are_refused(saved, params, tmp_path):
    directory = shutil.copytree(saved, tmp_path / "copy")
    text = (directory / "config.json").read_text()
    (directory / "config.json").write_text(text.replace('"scene_channels": 16', '"scene_channels": 8'))
    with pytest.raises(UsageError, match="do not fit") as caught:
        t2v_jax.generate(t2v_jax.load(directory), PROMPTS[0])
    assert "\n" not in str(caught.value)


def test_a_stream_gives_the_frames_of_generate_one_by_one(params):
    stream = t2v_jax.Stream(params, PROMPTS[0], seed=1)
    frames = np.stack(list(itertools.islice(stream, 7)))
    assert frames.shape == (7, 16, 16, 1)
    assert levels(frames, t2v_jax.generate(params, PROMPTS[0], seed=1, frames=7)) <= 1


def test_a_stream_compiles_its_first_frame_and_one_for_all_others(params):
    list(itertools.islice(t2v_jax.Stream(params, PROMPTS[0], seed=3), 3))
    before = _next_frame.alone._cache_size()
    stream = t2v_jax.Stream(params, PROMPTS[1], seed=4)
    list(itertools.islice(stream, 20))
    stream.prompt = PROMPTS[2]
    next(stream)
    assert _next_frame.alone._cache_size() == before


def test_a_prompt_may_change_while_the_stream_plays(params):
    stays, changes = (t2v_jax.Stream(params, PROMPTS[0], seed=1) for _ in range(2))
    before = [[next(stream) for _ in range(3)] for stream in (stays, changes)]
    np.testing.assert_array_equal(*before)
    changes.prompt = PROMPTS[1]
    assert changes.prompt == PROMPTS[1]
    assert any((next(stays) != next(changes)).any() for _ in range(4))


def test_a_stream_refuses_what_generate_refuses(params):
    with pytest.raises(UsageError, match="seed=-1"):
        t2v_jax.Stream(params, PROMPTS[0], seed=-1)
    stream = t2v_jax.Stream(params, PROMPTS[0])
    with pytest.raises(UsageError):
        stream.prompt = ""
    assert stream.prompt == PROMPTS[0]
    with pytest.warns(generation.UnknownWord, match="zebra") as caught:
        stream.prompt = "the zebra is moving up and down"
    assert caught[0].filename == __file__
