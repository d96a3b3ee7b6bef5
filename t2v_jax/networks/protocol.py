"""What training and generation ask of a generator and a discriminator, and the check that a network has it.

Both are Linen modules, built from two fields: `config`, the whole configuration, and `vocabulary_size`, that
of the language. b clips have t frames of [size, size, channels] pixels in [-1, 1]; `captions` are
`text.language.Captions`. docs/extending.md has a whole generator in forty lines.
"""

import inspect
from typing import Any, NamedTuple, Protocol

import flax.linen as nn

from t2v_jax import registry
from t2v_jax.errors import UsageError, describe


class GeneratorOutput(NamedTuple):
    """Clips [b, t, size, size, channels], and the carry from which a later call goes on: any pytree.

    attention [t, b * actors, heads, tokens]: weights of the words in each frame, the first half of the heads
    for appearance, the second for motion. log_prob [b]: the logarithm of the probability of the words that
    hard attention sampled. things [b, t, side, side, channels + 1]: what moves, before it is set into the
    frames, in the form of `nn.cutouts`. Each may be None, things only without config.discriminator.moving.
    """

    clips: Any
    carry: Any
    attention: Any = None
    log_prob: Any = None
    things: Any = None


class DiscriminatorOutput(NamedTuple):
    """Scores of clips in groups of n, as `nn.statistics.groups` makes them of a batch.

    logits [discriminators, groups, n, m]: of clip i of a group with its caption j, the first n of which are
    the clips' own; features [groups, n, d]: what is seen in a clip, for the energy distance.
    """

    logits: Any
    features: Any


class GeneratorNetwork(Protocol):
    """G(s, z). `frames` are computed, of which those in `frame_indices` are painted (None: all).

    `carry`: that of an earlier output, after which the clip goes on (None: it begins).
    """

    def __call__(self, captions, noise, frames, frame_indices=None, carry=None): ...


class LateStartGenerator(Protocol):
    """What schedule.max_start_offset above 0 asks of a generator besides: clips that began a while ago.

    `carry_at`: the carry of clips that began `start_offsets` (int [b], 0 to `latest`) frames ago. `burn_in`:
    so many frames run unseen before the first one.
    """

    def __call__(self, captions, noise, frames, frame_indices=None, carry=None, burn_in=None): ...

    def carry_at(self, captions, noise, start_offsets, latest): ...


class DiscriminatorNetwork(Protocol):
    """D(V, s), in two parts: captions are encoded once a step, real and generated clips scored by them.

    `encode_captions`: m captions -> sentences [m, s]. `score`: clips [b, t, ...], such sentences (a multiple
    of b, the clips' own first, then as many for each clip, side by side) and the indices of the frames to
    look at closely -> `DiscriminatorOutput`. With config.discriminator.moving it is also given `things`, what
    moves in the clips, in the form of `nn.cutouts`.
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
        raise UsageError(f"{where} is no Linen module; expected class MyNetwork(flax.linen.Module)")
    _check_methods(where, network, PROTOCOLS[kind], "see t2v_jax/networks/protocol.py")
    if kind == "generator" and config.schedule.max_start_offset:
        _check_methods(where, network, LateStartGenerator, "or set config.schedule.max_start_offset=0")
    try:
        return network(config=config, vocabulary_size=vocabulary_size)
    # Code of others may raise anything.
    except Exception as error:
        reason = f"cannot be built: {describe(error)}; expected the fields config and vocabulary_size"
        raise UsageError(f"{where} {reason}") from error


def _check_methods(where, network, protocol, hint):
    """UsageError that names the first method of the protocol, or parameters of it, that a network lacks."""
    for name, method in inspect.getmembers(protocol, inspect.isfunction):
        if name != "__call__" and name.startswith("_"):
            continue
        asked = [*inspect.signature(method).parameters][1:]
        expected = f"expected {name}({', '.join(asked)}); {hint}"
        own = next((vars(base)[name] for base in network.__mro__ if name in vars(base)), None)
        if own is None:
            raise UsageError(f"{where} has no method {name}; {expected}")
        parameters = inspect.signature(own).parameters
        if any(parameter.kind == parameter.VAR_KEYWORD for parameter in parameters.values()):
            continue
        missing = [parameter for parameter in asked if parameter not in parameters]
        if missing:
            raise UsageError(f"{where} takes no {' and no '.join(missing)} in {name}; {expected}")
