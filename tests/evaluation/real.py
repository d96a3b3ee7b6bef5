"""Real held-out clips and the worlds they are from, small enough for a test."""

import dataclasses
import functools

import numpy as np

from t2v_jax import config as configuration
from t2v_jax.config.resolution import resolved
from t2v_jax.data.source import make_source

SMALL = {"frames": 10, "size": 32, "digit_size": 14}


def config(world="moving_digits", **data):
    """The default configuration but for the world and other fields of its part `data`."""
    fields = configuration.default()
    fields.data.update(world=world, channels=3 if world == "moving_shapes" else 1, **data)
    return resolved(fields)


def world(name, split="test", **data):
    return make_source(config(name, **data), split)


@functools.cache
def clips(name, number, split="test", **data):
    """uint8 [number, t, h, w, c] of a split, and their values int [number, attributes]."""
    source = dataclasses.replace(world(name, split, **data), clips=number)
    elements = list(source)
    values = [[element[attribute] for attribute in source.attributes] for element in elements]
    return np.stack([element["clip"] for element in elements]), np.array(values)
