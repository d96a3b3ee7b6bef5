"""What a run needs of memory, by shapes: what cannot fit is refused, by the field that makes it large.

Counted before anything is allocated is what a step cannot do without: the state, which has both networks'
parameters, two moments of Adam for each and the generator's average, and the batch's clips, as bytes and as
numbers. What else a step needs XLA tells when it is compiled, before it runs.
"""

import contextlib
import functools
import math

import jax
import numpy as np
from ml_collections import ConfigDict

from t2v_jax import config as configuration
from t2v_jax.config.checks import CHANNELS, RANGES
from t2v_jax.config.fields import get
from t2v_jax.errors import UsageError
from t2v_jax.networks import protocol
from t2v_jax.runtime.memory import check_fits

_BYTES_A_VALUE = 1 + 4  # of a clip: uint8, then float32
_OF_CLIPS = "batch_size", "data.frames", "data.size"
# Fields whose numbers, and the batch's, are the arrays' sizes.
_SECTIONS = "data.", "text.", "generator.", "discriminator."


def check_clips(config, mesh) -> None:
    """Raises UsageError where the batch's clips do not fit."""
    needed = functools.partial(_clip_bytes, mesh)
    check_fits(needed(config), lambda: _blamed(config, _OF_CLIPS, needed))


def check_state(run, abstract_state, state) -> None:
    """Raises UsageError where the state and the clips do not fit: `state` has the shapes, as
    `abstract_state(run)` gives them.
    """

    def held(config, state):
        size = sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))
        return size // run.mesh.shape["model"] + _clip_bytes(run.mesh, config)

    def needed(config):
        kinds = run.networks._fields
        built = (protocol.build(kind, config, run.language.vocabulary_size) for kind in kinds)
        return held(config, abstract_state(run._replace(config=config, networks=type(run.networks)(*built))))

    check_fits(held(run.config, state), lambda: _blamed(run.config, _sizes(), needed))


def check_program(config, program) -> None:
    """Raises UsageError where a compiled step needs more beside its arguments than is free."""
    found = program.memory_analysis()
    if found is not None:
        more = found.temp_size_in_bytes + found.output_size_in_bytes - found.alias_size_in_bytes
        # To compile it for each field's default would take minutes.
        check_fits(more, lambda: _named(config, max(_sizes(), key=lambda name: _growth(config, name))))


def _clip_bytes(mesh, config):
    data = config.data
    pixels = config.batch_size * data.frames * data.size**2
    return _BYTES_A_VALUE * pixels * data.channels // mesh.shape["data"]


def _sizes():
    numbers = [name for name in RANGES if name.startswith(_SECTIONS)]
    return ["batch_size", *numbers, *CHANNELS]


def _blamed(config, names, needed):
    """The field above its default that, with it, would leave the least to hold."""
    left = {}
    for name in (name for name in names if _growth(config, name) > 1):
        other = ConfigDict(config.to_dict())
        # What follows from the frames' size.
        follow = dict.fromkeys(("data.digit_size", "generator.canvas_size", "discriminator.clip_pooling"), 0)
        other.update_from_flattened_dict({name: get(configuration.default(), name), **follow})
        other.schedule.stages = _within(other.schedule.stages, other.data.frames)
        with contextlib.suppress(UsageError):  # a default that does not fit the other fields
            left[name] = needed(configuration.check(other))
    return _named(config, min(left, key=left.get, default="batch_size"))


def _within(stages, frames):
    return tuple((first, *(min(number, frames) for number in rest)) for first, *rest in stages)


def _growth(config, name):
    """How many times its default a field is."""
    ours, usual = (np.sum(get(of, name), dtype=float) for of in (config, configuration.default()))
    return ours / max(usual, 1)


def _named(config, name):
    return f"config.{name} is {get(config, name)!r}"
