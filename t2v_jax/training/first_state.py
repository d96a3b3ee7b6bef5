"""The state that a run starts from: its newest checkpoint, another model's parameters, or new ones."""

import functools

import jax
import jax.numpy as jnp

from t2v_jax.gan import state as states
from t2v_jax.inference.model import save_definition
from t2v_jax.runtime import sharding
from t2v_jax.runtime.memory import return_memory
from t2v_jax.text.initial_vectors import first_vectors
from t2v_jax.training.memory import check_state
from t2v_jax.training.network_check import check_network
from t2v_jax.training.transfer import transferred, with_parts

# A program that runs once, in a moment, which is less than XLA takes to optimise it.
RUNS_ONCE = {"xla_backend_optimization_level": 0}


def restore_or_start(run, checkpoints, batches):
    """The newest checkpoint's state, or a new one; moves `batches` to where the state left off."""
    abstract = abstract_state(run)
    check_state(run, abstract_state, abstract)
    if checkpoints.latest_step() is None:
        return _start(run, abstract)
    state, position = checkpoints.restore(abstract)
    batches.set_state(position)
    return state


def abstract_state(run):
    """Shapes, types and layout of the state, without its values.

    Raises UsageError where a network of one's own does not keep the protocol.
    """
    captions = _captions(run)
    for kind, network in run.networks._asdict().items():
        check_network(kind, network, run.config, captions)
    shape = (run.language.vocabulary_size, run.config.text.word_width)
    vectors = jax.ShapeDtypeStruct(shape, jnp.float32)
    state = jax.eval_shape(functools.partial(_first_state, run, captions), vectors, {})
    return jax.tree.map(
        lambda leaf, place: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=place),
        state,
        sharding.state_sharding(run.mesh, state),
    )


def _start(run, abstract):
    layout = jax.tree.map(lambda leaf: leaf.sharding, abstract)
    first_state = functools.partial(_first_state, run, _captions(run))
    create = jax.jit(first_state, out_shardings=layout, compiler_options=RUNS_ONCE)
    vectors = first_vectors(run.config.text, run.language, run.source.captions(), run.config.seed)
    parts = {}
    if run.config.init_from:
        networks = {"generator": abstract.generator, "discriminator": abstract.discriminator}
        parts = transferred(run.config, run.language, vectors, networks)
    if jax.process_index() == 0:  # the others have trained the same language
        # Not before: a workdir holds on to its config, which must not name wrong text.vectors.
        save_definition(run.workdir, run.config, run.language)
    state = create(vectors, parts)
    return_memory()
    return state


def _captions(run):
    """Two encoded captions, to initialise the networks with."""
    return run.language.encode(list(run.source.captions())[:2])


def _first_state(run, captions, vectors, parts):
    """The state at step 0: both text encoders start from the word vectors, each network from its `parts`."""
    config, n = run.config, len(captions.mask)
    g_key, d_key = jax.random.split(jax.random.key(config.seed))
    noise = jnp.zeros((n, config.generator.noise_width))
    clips = jnp.zeros((n, 2, config.data.size, config.data.size, config.data.channels))
    parameters = {
        "generator": run.networks.generator.init(g_key, captions, noise, 1),
        "discriminator": run.networks.discriminator.init(d_key, clips, captions, jnp.arange(1)),
    }
    parameters = {
        kind: with_parts(with_vectors(tree, vectors), parts.get(kind, {}))
        for kind, tree in parameters.items()
    }
    return states.create(**parameters, optimizers=run.optimizers)


def with_vectors(parameters, vectors):
    """The same parameters with these word vectors, wherever a network has them."""
    return jax.tree_util.tree_map_with_path(
        lambda path, leaf: vectors if _names(path)[-2:] == ["words", "vectors"] else leaf, parameters
    )


def _names(path):
    return [getattr(key, "key", None) for key in path]
