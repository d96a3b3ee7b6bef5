"""What stays the same in a run from its first step to its last: devices, clips, language, networks."""

import pathlib
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import optax

from t2v_jax import config as configuration
from t2v_jax.data.source import make_source
from t2v_jax.errors import UsageError
from t2v_jax.gan import state as states
from t2v_jax.inference.model import CONFIG, load_definition
from t2v_jax.networks import protocol
from t2v_jax.runtime import sharding
from t2v_jax.runtime.files import check_writable
from t2v_jax.text.language import Language
from t2v_jax.training.first_state import with_vectors
from t2v_jax.training.memory import check_clips

# Fields that a run may change when it continues: none of them touches what is learnt.
CHANGEABLE = (
    "steps",
    "minutes",
    "log_every",
    "sample_every",
    "checkpoint_every",
    "keep_checkpoints",
    "mesh",
)


class Networks(NamedTuple):
    """Both networks' modules."""

    generator: nn.Module
    discriminator: nn.Module


class Run(NamedTuple):
    """The parts of a run that no step changes."""

    config: Any
    workdir: pathlib.Path
    mesh: jax.sharding.Mesh
    source: Any
    language: Language
    networks: Networks
    optimizers: states.Optimizers


def set_up(config, workdir) -> Run:
    """Build the `Run` of a checked configuration; make a new workdir.

    Raises UsageError where the configuration does not fit the devices, the clips or the workdir.
    """
    mesh = sharding.make_mesh(config.mesh.data, config.mesh.model)
    sharding.check_batch(mesh, config.batch_size)
    check_clips(config, mesh)
    source = make_source(config)
    _check_clips(config.data, source[0]["clip"].shape)
    language = _language(config, workdir, source)
    kinds = Networks._fields
    networks = Networks(*(protocol.build(kind, config, language.vocabulary_size) for kind in kinds))
    optimizers = states.optimizers(config.optimizer)
    if not config.text.train_vectors:
        optimizers = states.Optimizers(*map(_with_frozen_vectors, optimizers))
    return Run(config, workdir, mesh, source, language, networks, optimizers)


def _check_clips(data, shape):
    expected = data.frames, data.size, data.size, data.channels
    if shape != expected:
        raise UsageError(
            f"config.data.world={data.world} has clips of [frames, height, width, channels] = "
            f"{list(shape)}, the other fields of config.data say {list(expected)}; make them equal"
        )


def _language(config, workdir, source):
    """The workdir's language; in a new workdir one trained on the captions and the extra words."""
    if (workdir / CONFIG).exists():
        stored, language = load_definition(workdir)
        _check_same(config, stored, workdir)
        return language
    text = config.text
    language = Language.train(
        [*source.captions(), *text.extra_words],
        vocabulary_size=text.vocabulary_size,
        model_type=text.model,
        max_tokens=text.max_tokens,
    )
    if jax.process_index() == 0:
        try:
            workdir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = f"cannot write {workdir}: {error.strerror}"
            raise UsageError(f"{reason}; choose another --workdir") from error
        check_writable(workdir / CONFIG)
    return language


def _check_same(config, stored, workdir):
    changed = [
        f"{name} ({ours} here, {theirs} there)"
        for name, (ours, theirs) in configuration.differences(config, stored).items()
        if name.split(".")[0] not in CHANGEABLE
    ]
    if changed:
        raise UsageError(
            f"{workdir} was made by another config: {'; '.join(changed)}; "
            "use that config or another --workdir"
        )


def _with_frozen_vectors(optimizer):
    """The same optimiser, but word vectors get no gradient, so that Adam leaves them alone."""

    def is_vectors(parameters):
        return with_vectors(jax.tree.map(lambda _: False, parameters), True)

    return optax.chain(optax.masked(optax.set_to_zero(), is_vectors), optimizer)
