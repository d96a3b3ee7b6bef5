"""The vectors that a language's tokens have at step 0: of the captions, or of a file."""

import sys
from collections.abc import Sequence

import jax
import numpy as np

from t2v_jax.errors import UsageError, naming
from t2v_jax.text.language import Language
from t2v_jax.text.vectors import load_vectors
from t2v_jax.text.word2vec import train_skip_gram
from t2v_jax.text.words import fold_case


def first_vectors(text, language: Language, captions: Sequence[str], seed: int) -> np.ndarray:
    """Vectors float32 [vocabulary_size, text.word_width]: the file's where text.vectors has the word.

    Those come without a random part: a large corpus sets words apart that fill the same slot (GloVe's
    digits have cosines of 0.69 to 0.99, those of the captions' skip-gram 0.98 to 0.998), and where
    they are frozen they would keep it. One factor brings all of them to the scale of the others, which
    the networks are made for: each file has its own. A piece of a word, and a word that the file
    lacks, start as without a file; an extra word must be in it. All are centred (`_centred`). text:
    config.text. Errors: UsageError as load_vectors, for vectors of another width, and for such a word.
    """
    vectors = _caption_vectors(language, captions, text.word_width, seed)
    if text.vectors:
        ids = language.whole_words()
        with naming("text.vectors"):
            found = _file_vectors(text.vectors, ids)
        loaded = np.stack(list(found.values()))
        _check_width(text, loaded.shape[1])
        _check_extra_words(text, ids, found)
        _tell_found(text.vectors, len(found), language)
        vectors[list(found)] = loaded * (_rms(vectors) / _rms(loaded))
    return _centred(vectors, language, captions)


def _caption_vectors(language, captions, width, seed):
    """Skip-gram vectors of the captions' tokens plus a random part of the same size.

    Words that fill the same slot, as the digits do, have almost the same skip-gram vector; the
    random part sets them apart.
    """
    encoded = language.encode(captions)
    sequences = [tokens[mask] for tokens, mask in zip(encoded.tokens, encoded.mask)]
    vectors = train_skip_gram(sequences, language.vocabulary_size, width, seed=seed)
    own = np.random.default_rng(seed).standard_normal(vectors.shape)
    return (vectors / _rms(vectors) + own).astype(np.float32)


def _file_vectors(path, ids):
    """Token id -> vector, for the whole words (word -> token id) that the file has.

    A word is looked for in the case in which captions write it, then in lower case: word2vec's
    files have "Paris", GloVe's "paris".
    """
    found = load_vectors(path, [*ids, *map(fold_case, ids)])
    spelt = {word: word if word in found else fold_case(word) for word in ids}
    return {ids[word]: found[spelt[word]] for word in ids if spelt[word] in found}


def _centred(vectors, language, captions):
    """The same vectors about their mean over the captions' words (Mu & Viswanath 2018, arXiv 1702.01417).

    The words that all captions share would otherwise drown in every mean those that set them apart.
    """
    encoded = language.encode(captions)
    return vectors - vectors[encoded.tokens[encoded.mask]].mean(0)


def _check_width(text, width):
    if text.word_width != width:
        raise UsageError(
            f"config.text.word_width is {text.word_width}; expected {width}, as wide as the vectors of "
            f"config.text.vectors={text.vectors}"
        )


def _check_extra_words(text, ids, found):
    for word in text.extra_words:
        if ids.get(word) not in found:
            raise UsageError(
                f"config.text.extra_words has {word!r}; expected single words in lower case that "
                f"config.text.vectors={text.vectors} has; leave it away"
            )


def _tell_found(path, found, language):
    if jax.process_index() == 0:
        lacking = language.vocabulary_size - found - 2  # padding and unknown are no words
        text = f"{path}: vectors of {found} tokens, {lacking} others start from the captions"
        print(text, file=sys.stderr, flush=True)


def _rms(vectors):
    """Root mean square, above 0."""
    return np.sqrt(np.mean(np.square(vectors)) + 1e-12)
