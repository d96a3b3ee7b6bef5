"""The sentence as the networks hear it."""

import jax
import numpy as np
import pytest

from t2v_jax.nn.text_encoder import TextEncoder
from t2v_jax.text.language import Captions, Language

PAIR = [
    "digit 3 is up and down and digit 7 is left and right",
    "digit 3 is left and right and digit 7 is up and down",
]
LANGUAGE = Language.train(PAIR)


def embeddings(sentence, captions):
    encoder = TextEncoder(LANGUAGE.vocabulary_size, 8, 4, sentence, 16)
    parameters = encoder.init(jax.random.key(0), captions)
    return np.asarray(encoder.apply(parameters, captions).embedding)


def test_the_gru_tells_which_words_belong_together_and_the_mean_cannot():
    captions = LANGUAGE.encode(PAIR)
    captions = captions._replace(tags=np.zeros_like(captions.tags))  # which know their neighbours
    mean, gru = (embeddings(sentence, captions) for sentence in ("mean", "gru"))
    np.testing.assert_allclose(mean[0], mean[1], atol=1e-5)
    assert np.abs(gru[0] - gru[1]).max() > 1e-3


@pytest.mark.parametrize("sentence", ["mean", "gru"])
def test_what_stands_behind_the_sentence_has_no_influence(sentence):
    captions = LANGUAGE.encode(PAIR)
    longer = Captions(*(np.where(captions.mask, field, 1) for field in captions[:3]), captions.mask)
    np.testing.assert_allclose(embeddings(sentence, longer), embeddings(sentence, captions), atol=1e-6)
