"""What training and generation ask of a generator and a discriminator, and the check that a network has it.

Both are Linen modules, built as `network(config, vocabulary_size)` from the whole configuration and the size
of the language. b clips have t frames of [size, size, channels] pixels in [-1, 1]; `captions` are
`text.language.Captions`. docs/extending.md has a whole generator in forty lines.
"""

import inspect
from typing import Any, NamedTuple, Protocol

import flax.linen as nn
import jax

from t2v_jax import registry
from t2v_jax.errors import UsageError


class GeneratorOutput(NamedTuple):
    """Clips [b, t, size, size, channels], and the carry from which a later call goes on.

    attention [t, b * actors, heads, tokens]: weights of the words in each frame, the first half of the heads
    for appearance, the second for motion. log_prob [b]: the logarithm of the probability of the words that
    hard attention sampled. Either may be None.
    """

    clips: Any
    carry: Any
    attention: Any = None
    log_prob: Any = None


class DiscriminatorOutput(NamedTuple):
    """Scores of clips in groups of n, which are compared with one another.

    logits [discriminators, groups, n, m]: of clip i of a group with its caption j, the first n of which are
    the clips' own; features [groups, n, d]: what is seen in a clip, for the energy distance.
    """

    logits: Any
    features: Any


class GeneratorNetwork(Protocol):
    """G(s, z). `frames` are computed, of which those in `frame_indices` are painted (None: all).

    `carry`: that of an earlier output, after which the clip goes on (None: it begins). `burn_in`: frames that
    run unseen before the first one, or None. A configuration with schedule.max_start_offset also asks for
    `carry_at(captions, noise, start_offsets, latest)`: the carry of clips that began so many frames ago.
    """

    def __call__(self, captions, noise, frames, frame_indices=None, carry=None, burn_in=None): ...


class DiscriminatorNetwork(Protocol):
    """D(V, s), in two parts: captions are encoded once a step, real and generated clips scored by them.

    `score`: clips [b, t, ...], the encoded captions (a multiple of b, the clips' own first) and the indices
    of the frames to look at closely -> `DiscriminatorOutput`.
    """

    def __call__(self, clips, captions, frame_indices): ...

    def encode_captions(self, captions): ...

    def score(self, clips, sentences, frame_indices): ...


PROTOCOLS = {"generator": GeneratorNetwork, "discriminator": DiscriminatorNetwork}


def build(kind: str, config, vocabulary_size: int) -> nn.Module:
    """The module that config.generator.network or config.discriminator.network names.

    Raises UsageError for one that cannot be imported or lacks a part of the protocol.
    """
    name = config[kind].network
    network = registry.resolve(kind, name)
    where = f"config.{kind}.network={name}"
    if not (inspect.isclass(network) and issubclass(network, nn.Module)):
        raise UsageError(f"{where} is no class of a Linen module; expected class MyNetwork(nn.Module)")
    protocol = PROTOCOLS[kind]
    methods = [part for part in vars(protocol) if part == "__call__" or not part.startswith("_")]
    for method in methods:
        wanted = list(inspect.signature(getattr(protocol, method)).parameters)
        had = inspect.signature(getattr(network, method, lambda: None)).parameters
        missing = [parameter for parameter in wanted if parameter not in had]
        if missing:
            raise UsageError(
                f"{where} lacks {', '.join(missing)} in {method}({', '.join(wanted)}); "
                "see t2v_jax/networks/protocol.py"
            )
    if kind == "generator" and config.schedule.max_start_offset and not hasattr(network, "carry_at"):
        raise UsageError(f"{where} has no carry_at; expected one, or config.schedule.max_start_offset=0")
    try:
        return network(config, vocabulary_size)
    except TypeError as error:
        raise UsageError(
            f"{where} cannot be built: {error}; expected {name}(config, vocabulary_size)"
        ) from error


def checked(kind: str, config, initialise):
    """The shapes that `initialise` gives; UsageError for whatever a network of one's own raises there."""
    if config[kind].network in registry.names(kind):
        return jax.eval_shape(initialise)
    try:
        return jax.eval_shape(initialise)
    # Networks of others may raise anything.
    except Exception as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise UsageError(f"config.{kind}.network={config[kind].network} fails: {reason}") from error
