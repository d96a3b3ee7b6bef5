"""Starting from another model: what its generator has learnt, wherever the new one has the same part."""

import sys

import jax
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from t2v_jax.errors import UsageError
from t2v_jax.model import load

_VECTORS = ("params", "text", "words", "vectors")


def transferred(source, language, vectors, generator):
    """The parts of a generator that start from another's: {path: float32}, as `flatten_dict` names them.

    source: as `model.load`; vectors float32 [vocabulary_size, width]: those of the new `language`, in which
    the words that both know get the model's; generator: the new one's parameters or their shapes. Parts of
    another shape are left out (cf. Wang et al. 2018, arXiv 1805.01677). Errors: UsageError where nothing
    fits.
    """
    model = load(source)
    theirs, ours = flatten_dict(model.generator), flatten_dict(generator)
    parts = {path: part for path, part in theirs.items() if _shape(part) == _shape(ours.get(path))}
    parts.pop(_VECTORS, None)
    if not parts:
        raise UsageError(
            f"config.start_from is {source!r}, of whose generator no part has the shape of this one's; "
            "give config.generator and config.text the model's widths, or leave it empty"
        )
    if theirs[_VECTORS].shape[1] == vectors.shape[1]:
        parts[_VECTORS] = _shared_words(model, language, vectors)
    _tell(source, len(parts), len(ours))
    return parts


def with_parts(generator, parts):
    """The same parameters, but with the `transferred` parts."""
    return unflatten_dict(flatten_dict(generator) | parts)


def _shape(part):
    return getattr(part, "shape", None)


def _shared_words(model, language, vectors):
    """The vectors, with the model's own for all tokens that are whole words of both languages."""
    ours, theirs = language.whole_words(), model.language.whole_words()
    known = [word for word in ours if word in theirs]
    vectors = np.array(vectors)
    learnt = np.asarray(model.generator["params"]["text"]["words"]["vectors"])
    vectors[[ours[word] for word in known]] = learnt[[theirs[word] for word in known]]
    return vectors


def _tell(source, found, number):
    if jax.process_index() == 0:
        told = f"{source}: {found} of {number} arrays of the generator start from it, the others from nothing"
        print(told, file=sys.stderr, flush=True)
