"""A generator that starts from another model's: what fits is taken over, words are found by name."""

import jax
import numpy as np
import pytest
from flax.traverse_util import flatten_dict

import t2v_jax
from t2v_jax.errors import UsageError
from t2v_jax.text.language import Language
from t2v_jax.transfer import transferred, with_parts
from tests import example


def first_generator(config, workdir):
    return jax.device_get(example.started(config, workdir)[1].generator)


def test_run_of_the_same_config_starts_where_the_model_ended(small, trained, tmp_path, capsys):
    small.start_from = str(trained)
    got = first_generator(small, tmp_path / "run")
    jax.tree.map(np.testing.assert_array_equal, got, t2v_jax.load(trained).generator)
    number = len(jax.tree.leaves(got))
    assert f"{number} of {number} arrays of the generator start from it" in capsys.readouterr().err


def test_wider_part_starts_from_nothing(small, trained, tmp_path):
    small.start_from = str(trained)
    small.generator.style_width *= 2
    got = flatten_dict(first_generator(small, tmp_path))
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
    parts = transferred(trained, language, vectors, model.generator)
    np.testing.assert_array_equal(vectors, before)

    def ids(language, words):
        return [language.tokenizer.encode(word)[0].id for word in words]

    path = "params", "text", "words", "vectors"
    shared, own = ["3", "5", "digit", "the", "is", "moving"], ["purple", "sleeps", "a"]
    learnt = np.asarray(flatten_dict(model.generator)[path])
    np.testing.assert_array_equal(parts[path][ids(language, shared)], learnt[ids(model.language, shared)])
    np.testing.assert_array_equal(parts[path][ids(language, own)], vectors[ids(language, own)])
    whole = flatten_dict(with_parts(model.generator, parts))
    np.testing.assert_array_equal(whole[path], parts[path])


def test_model_that_fits_nowhere_is_refused(trained):
    vectors = np.zeros((3, 2), np.float32)
    with pytest.raises(UsageError, match="no part has the shape"):
        transferred(trained, Language.train(["a digit"]), vectors, {"params": {"other": np.zeros(3)}})


def test_model_that_is_not_there_leaves_no_workdir(small, tmp_path):
    small.start_from = "nosuch"
    with pytest.raises(UsageError, match="no model 'nosuch'"):
        first_generator(small, tmp_path / "run")
    assert not (tmp_path / "run" / "config.json").exists()
