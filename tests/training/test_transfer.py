"""Players that start from another model's: what fits is taken over, words are found by name."""

import jax
import numpy as np
import pytest
from flax.traverse_util import flatten_dict

import t2v_jax
from t2v_jax import config as configuration
from t2v_jax.errors import UsageError
from t2v_jax.inference.model import load_discriminator
from t2v_jax.text.language import Language
from t2v_jax.training.transfer import transferred, with_parts
from tests import example

VECTORS = "params", "text", "words", "vectors"


def first_state(config, workdir):
    return jax.device_get(example.started(config, workdir)[1])


def first_generator(config, workdir):
    return first_state(config, workdir).generator


def starting_from(source):
    config = configuration.default()
    config.init_from = str(source)
    return config


def told_of(generator, discriminator, number):
    return (
        f"{generator} of {generator} arrays of the generator and {discriminator} of {number} arrays of the "
        "discriminator start from it"
    )


def test_run_of_the_same_config_starts_where_the_networks_ended(small, trained, tmp_path, capsys):
    small.init_from = str(trained)
    got = first_state(small, tmp_path / "run")
    learnt = load_discriminator(trained)
    jax.tree.map(np.testing.assert_array_equal, got.generator, t2v_jax.load(trained).generator)
    jax.tree.map(np.testing.assert_array_equal, got.discriminator, learnt)
    numbers = [len(jax.tree.leaves(network)) for network in (got.generator, learnt)]
    told = capsys.readouterr().err
    assert told_of(*numbers, numbers[1]) in told
    assert "has learnt with" not in told


def test_model_starts_the_discriminator_that_was_saved_with_it(small, trained, tmp_path):
    directory = tmp_path / "model"
    t2v_jax.save(t2v_jax.load(trained), directory, load_discriminator(trained))
    small.init_from = str(directory)
    got = flatten_dict(first_state(small, tmp_path / "run").discriminator)
    for path, learnt in flatten_dict(load_discriminator(trained)).items():
        if path != VECTORS:  # those of pieces of words are new
            np.testing.assert_array_equal(got[path], np.float16(learnt).astype(np.float32))


def test_model_without_a_discriminator_starts_the_generator_alone(small, trained, tmp_path, capsys):
    directory = tmp_path / "model"
    t2v_jax.save(t2v_jax.load(trained), directory)
    new = first_state(small, tmp_path / "new")
    small.init_from = str(directory)
    got = first_state(small, tmp_path / "run")
    jax.tree.map(np.testing.assert_array_equal, got.discriminator, new.discriminator)
    numbers = [len(jax.tree.leaves(network)) for network in (got.generator, got.discriminator)]
    assert told_of(numbers[0], 0, numbers[1]) in capsys.readouterr().err


def test_wider_part_starts_from_nothing(small, trained, tmp_path, capsys):
    small.init_from = str(trained)
    width = small.generator.style_width
    small.generator.style_width *= 2
    got = flatten_dict(first_generator(small, tmp_path))
    told = f"{trained} has learnt with config.generator.style_width={width} (here {2 * width})\n"
    assert told in capsys.readouterr().err
    learnt = flatten_dict(t2v_jax.load(trained).generator)
    same = {path for path in got if np.array_equal(got[path], learnt[path])}
    assert same == {path for path in got if got[path].shape == learnt[path].shape}
    assert 0 < len(same) < len(got)


def test_shared_words_keep_their_vectors_in_another_language(trained):
    model = t2v_jax.load(trained)
    language = Language.train(["a purple digit 3 is moving", "the digit 5 sleeps"])
    width = model.config.text.word_width
    vectors = np.random.default_rng(0).standard_normal((language.vocabulary_size, width), np.float32)
    before = vectors.copy()
    networks = {"generator": model.generator, "discriminator": load_discriminator(trained)}
    found = transferred(starting_from(trained), language, vectors, networks)
    np.testing.assert_array_equal(vectors, before)

    def ids(language, words):
        return [language.tokenizer.encode(word)[0].id for word in words]

    shared, own = ["3", "5", "digit", "the", "is", "moving"], ["purple", "sleeps", "a"]
    for network, parts in found.items():
        got, learnt = parts[VECTORS], np.asarray(flatten_dict(networks[network])[VECTORS])
        np.testing.assert_array_equal(got[ids(language, shared)], learnt[ids(model.language, shared)])
        np.testing.assert_array_equal(got[ids(language, own)], vectors[ids(language, own)])
        whole = flatten_dict(with_parts(networks[network], parts))
        np.testing.assert_array_equal(whole[VECTORS], got)


def test_model_that_fits_nowhere_is_refused(trained):
    vectors = np.zeros((3, 2), np.float32)
    other = {"params": {"other": np.zeros(3)}}
    networks = {"generator": other, "discriminator": other}
    with pytest.raises(UsageError, match="no part has the shape"):
        transferred(starting_from(trained), Language.train(["a digit"]), vectors, networks)


def test_model_that_is_not_there_leaves_no_workdir(small, tmp_path):
    small.init_from = "nosuch"
    with pytest.raises(UsageError, match="config.init_from: no model 'nosuch'"):
        first_generator(small, tmp_path / "run")
    assert not (tmp_path / "run" / "config.json").exists()
