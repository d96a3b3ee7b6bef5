"""Starting from another model: the parameters of its networks, wherever the new ones have the same part."""

import sys

import jax
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from t2v_jax.config import differences
from t2v_jax.errors import UsageError, naming
from t2v_jax.inference.model import load_networks

_VECTORS = ("params", "text", "words", "vectors")


def transferred(config, language, vectors, networks):
    """What starts from `config.init_from`: {network: {path: float32}}, paths as `flatten_dict` names them.

    vectors float32 [vocabulary_size, width]: those of the new `language`, in which the words that both know
    get the model's; networks: {"generator" and "discriminator": the new one's parameters or their shapes}.
    Parts of another shape are left out, and the discriminator where the model was saved without (cf. Wang et
    al. 2018, arXiv 1805.01677). Says on stderr how much it is, and where the networks are configured
    otherwise. Errors: UsageError where nothing fits the generator.
    """
    source = config.init_from
    with naming("init_from"):
        model, discriminator = load_networks(source)
    theirs = {"generator": model.generator, "discriminator": discriminator}
    words = _shared_words(model.language, language)
    parts = {network: _fitting(theirs[network], networks[network], words, vectors) for network in networks}
    if not parts["generator"]:
        raise UsageError(
            f"config.init_from is {source!r}, of whose generator no part has the shape of this one's; "
            "give config.generator and config.text the model's widths, or leave it empty"
        )
    if jax.process_index() == 0:
        _tell(source, parts, networks)
        _tell_differences(source, model.config, config)
    return parts


def _fitting(theirs, ours, words, vectors):
    """{path: part} of the parameters that have the same place and shape in both networks."""
    theirs, ours = flatten_dict(theirs), flatten_dict(ours)
    parts = {path: part for path, part in theirs.items() if _shape(part) == _shape(ours.get(path))}
    parts.pop(_VECTORS, None)
    learnt = theirs.get(_VECTORS)
    if learnt is not None and _VECTORS in ours and learnt.shape[1] == vectors.shape[1]:
        here, there = words
        parts[_VECTORS] = np.array(vectors)
        parts[_VECTORS][here] = np.asarray(learnt)[there]
    return parts


def with_parts(parameters, parts):
    """The same parameters of a network, but with its `transferred` parts."""
    return unflatten_dict(flatten_dict(parameters) | parts)


def _shape(part):
    return getattr(part, "shape", None)


def _shared_words(theirs, ours):
    """The numbers, in our language and in theirs, of all tokens that are whole words of both."""
    theirs, ours = theirs.whole_words(), ours.whole_words()
    known = [word for word in ours if word in theirs]
    return [ours[word] for word in known], [theirs[word] for word in known]


def _tell(source, parts, networks):
    counts = [
        f"{len(parts[network])} of {len(jax.tree.leaves(parameters))} arrays of the {network}"
        for network, parameters in networks.items()
    ]
    text = f"{source}: {' and '.join(counts)} start from it, the others from scratch"
    print(text, file=sys.stderr, flush=True)


def _tell_differences(source, theirs, ours):
    """Settings of the networks that the model has learnt with and this run does not have."""
    other = [
        f"config.{name}={there!r} (here {here!r})"
        for name, (there, here) in differences(theirs, ours).items()
        if name.startswith(("generator.", "discriminator."))
    ]
    if other:
        print(f"{source} has learnt with {', '.join(other)}", file=sys.stderr, flush=True)
