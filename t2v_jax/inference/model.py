"""A trained generator: its arrays, configuration and language; how it is saved and found again."""

import dataclasses
import functools
import json
import pathlib
from typing import Any

import flax.linen as nn
import jax
from ml_collections import FrozenConfigDict

from t2v_jax import config as configuration
from t2v_jax.errors import UsageError, did_you_mean
from t2v_jax.inference.archive import unpacked
from t2v_jax.inference.weights import find_weights, load_weights, save_weights
from t2v_jax.networks import protocol
from t2v_jax.runtime.files import local_path, new_directory, read_bounded, write_atomically
from t2v_jax.text.language import Language

SHIPPED = pathlib.Path(__file__).parents[1] / "models"
WEIGHTS, DISCRIMINATOR, CONFIG = "weights", "discriminator", "config.json"  # of arrays without ending
LARGEST_CONFIG = 2**20  # bytes


@functools.partial(
    jax.tree_util.register_dataclass, data_fields=["generator"], meta_fields=["config", "language"]
)
@dataclasses.dataclass(frozen=True, repr=False)
class Model:
    """A pytree whose leaves are the generator's arrays; the configuration and the language are static."""

    generator: Any
    config: FrozenConfigDict
    language: Language

    def __repr__(self):
        data, leaves = self.config.data, jax.tree.leaves(self.generator)
        shape = f"{data.frames} frames of {data.size} x {data.size} x {data.channels}"
        return f"Model({data.world}, {shape}, {sum(leaf.size for leaf in leaves):,} parameters)"

    @property
    def network(self) -> nn.Module:
        """The generator's module, which these arrays belong to."""
        return protocol.build("generator", self.config, self.language.vocabulary_size)


def shipped() -> list[str]:
    """The names of the models that come with the package, the best to look at first (models/order.txt)."""
    found = {path.parent.name for path in SHIPPED.glob(f"*/{WEIGHTS}.npz")}
    ordered = [name for name in (SHIPPED / "order.txt").read_text().split() if name in found]
    return [*ordered, *sorted(found.difference(ordered))]


def load(source, step=None) -> Model:
    """A shipped model by name, a saved model by directory or as a .zip of it, or a training workdir.

    Of a workdir the newest checkpoint, or one that fits its captions better by more than chance; `step` picks
    one. Raises UsageError where nothing whole is found, and where a network of one's own cannot be imported.
    """
    directory = find_directory(source)
    config, language = _checked_definition(directory)
    return Model(_reader(directory, step)("generator"), config, language)


def load_discriminator(source, step=None) -> dict:
    """The parameters of the discriminator that a model was trained against; `source`, `step` as `load`.

    An empty dict where it was not kept. Generating does without it; training that goes on with a new one
    costs the generator some of what it can do (experiments/obedience).
    """
    return _reader(find_directory(source), step)("discriminator")


def load_networks(source, step=None) -> tuple[Model, dict]:
    """What `load` and `load_discriminator` return, for the time of one: checkpoints are checked once."""
    directory = find_directory(source)
    config, language = _checked_definition(directory)
    read = _reader(directory, step)
    return Model(read("generator"), config, language), read("discriminator")


def save(params, directory, discriminator=None, ending=".npz", card=""):
    """Write a model, weights as float16, to a new directory, all of it or nothing.

    `discriminator`: as `load_discriminator` returns it; generating does without, training on should not.
    `ending` of the files of weights: .npz or .safetensors. `card`: the text of its README.md.
    """
    directory = local_path(directory)
    if directory.exists():
        raise UsageError(f"{directory} is there already; choose a new name or remove it")
    with new_directory(directory) as part:
        save_weights(jax.device_get(params.generator), part / f"{WEIGHTS}{ending}")
        if discriminator:
            save_weights(jax.device_get(discriminator), part / f"{DISCRIMINATOR}{ending}")
        if card:
            (part / "README.md").write_text(card, encoding="utf-8")
        save_definition(part, params.config, params.language)


def save_definition(directory, config, language):
    """Write what the arrays alone do not say: the configuration and the language."""
    language.save(directory)
    # Last, for the directory counts as a workdir as soon as this file is there.
    text = json.dumps(configuration.to_json(config), indent=1)
    write_atomically(directory / CONFIG, text.encode())


def load_definition(directory):
    """The (configuration, language) of a saved model or workdir."""
    path = directory / CONFIG
    text = read_bounded(path, LARGEST_CONFIG)
    try:
        config = configuration.from_json(json.loads(text))
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise UsageError(f"cannot read {path}: {error}; restore the file") from error
    return config, Language.load(directory)


def _checked_definition(directory):
    config, language = load_definition(directory)
    protocol.build("generator", config, language.vocabulary_size)  # it fails here or while it is compiled
    return config, language


def find_directory(source) -> pathlib.Path:
    """Where a shipped model, a saved one or a training workdir is. Raises UsageError where there is none."""
    directory = SHIPPED / source if source in shipped() else unpacked(local_path(source))
    if find_weights(directory, WEIGHTS) or (directory / CONFIG).is_file():
        return directory
    near = did_you_mean(str(source), shipped())
    raise UsageError(
        f"no model {str(source)!r}{near}; expected a shipped model ({', '.join(shipped()) or 'none'}), a "
        f"directory or .zip with {WEIGHTS}.npz or .safetensors, or a training workdir with {CONFIG}"
    )


def _reader(directory, step):
    """What reads the arrays of the generator or the discriminator, by its name."""
    if find_weights(directory, WEIGHTS):
        names = {"generator": WEIGHTS, "discriminator": DISCRIMINATOR}
        files = {kind: find_weights(directory, name) for kind, name in names.items()}
        return lambda kind: _load_arrays(files[kind]) if files[kind] else {}
    from t2v_jax.training.checkpoints import (
        Checkpoints,  # Orbax takes seconds to import: only where it is used
    )

    checkpoints = Checkpoints(directory)
    readers = {
        "generator": lambda: checkpoints.restore_arrays("ema", step),
        "discriminator": lambda: checkpoints.restore_arrays("training", step)["discriminator"],
    }
    return lambda kind: readers[kind]()


def _load_arrays(path):
    # As they are: whatever else JAX would do with an array is a program to compile, for each shape.
    return jax.device_put(load_weights(path))
