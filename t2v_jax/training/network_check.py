"""A network of one's own is tried before it trains, by shapes alone, in every way that it will be called."""

import jax
import jax.numpy as jnp

from t2v_jax import registry
from t2v_jax.data.hard_negatives import NEGATIVES_PER_CLIP
from t2v_jax.errors import UsageError, describe
from t2v_jax.networks.protocol import DiscriminatorOutput, GeneratorOutput
from t2v_jax.nn.statistics import groups


def check_network(kind: str, network, config, captions) -> None:
    """UsageError where a network of one's own fails or returns something else than the protocol says.

    kind: generator or discriminator; captions: any, for their width.
    """
    name = config[kind].network
    if name in registry.names(kind):
        return
    where = f"config.{kind}.network={name}"
    trial = {"generator": _try_generator, "discriminator": _try_discriminator}[kind]
    try:
        trial(where, network, config, captions)
    except UsageError:
        raise
    # Code of others may raise anything.
    except Exception as error:
        raise UsageError(f"{where} fails: {describe(error)}; see docs/extending.md") from error


def _try_generator(where, network, config, captions):
    """As in training, then going on for longer than a clip, and as a clip that began a while ago."""
    data, batch, latest = config.data, config.batch_size, config.schedule.max_start_offset
    _, computed, painted, _ = config.schedule.stages[-1]
    captions, noise = _rows(captions, batch), _floats(batch, config.generator.noise_width)

    def paint(captions, noise, frame_indices, offsets):
        output, variables = _initialised(where, network, captions, noise, computed, frame_indices)
        missing = [part for part in GeneratorOutput._fields if not hasattr(output, part)]
        _require(where, not missing, f"returns no {', '.join(missing)}; expected a GeneratorOutput")
        more = network.apply(variables, captions, noise, data.frames + 1, carry=output.carry).clips
        if latest:
            carry = network.apply(variables, captions, noise, offsets, latest, method="carry_at")
            begun = {"carry": carry, "burn_in": offsets[0]}
            network.apply(variables, captions, noise, computed, frame_indices, **begun)
        return output, more

    output, more = jax.eval_shape(paint, captions, noise, _integers(painted), _integers(batch))
    names = "[batch, frames, size, size, channels]"
    frame = data.size, data.size, data.channels
    _check_shape(where, "clips", output.clips, (batch, painted, *frame), names)
    _check_shape(where, "clips that go on", more, (batch, data.frames + 1, *frame), names)
    if config.discriminator.moving:
        names = "[batch, frames, side, side, channels + 1]"
        _check_shape(where, "things", output.things, (batch, painted, *_thing(config)), names)
    if output.log_prob is not None:
        _check_shape(where, "log_prob", output.log_prob, (batch,), "[batch]")


def _try_discriminator(where, network, config, captions):
    """As in training: each clip with its own caption, those of other clips, and hard negatives."""
    data, batch = config.data, config.batch_size
    _, _, painted, scored = config.schedule.stages[-1]
    captions = _rows(captions, (1 + NEGATIVES_PER_CLIP) * batch)
    clips = _floats(batch, painted, data.size, data.size, data.channels)
    things = {"things": _floats(batch, scored, *_thing(config))} if config.discriminator.moving else {}

    def score(clips, captions, frame_indices, **things):
        output, variables = _initialised(where, network, clips, captions, frame_indices)
        missing = [part for part in DiscriminatorOutput._fields if not hasattr(output, part)]
        _require(where, not missing, f"returns no {', '.join(missing)}; expected a DiscriminatorOutput")
        sentences = network.apply(variables, captions, method="encode_captions")
        expected = len(captions.mask), *getattr(sentences, "shape", ())[-1:]
        _check_shape(where, "encoded captions", sentences, expected, "[captions, width]")
        return network.apply(variables, clips, sentences, frame_indices, **things, method="score")

    output = jax.eval_shape(score, clips, captions, _integers(scored), **things)
    count, clips, *_ = jax.eval_shape(lambda rows: groups(rows, batch), jnp.zeros((batch, 1))).shape
    expected = output.logits.shape[0], count, clips, (1 + NEGATIVES_PER_CLIP) * clips
    _check_shape(where, "logits", output.logits, expected, "[discriminators, groups, clips, captions]")
    expected = count, clips, output.features.shape[-1]
    _check_shape(where, "features", output.features, expected, "[groups, clips, width]")


def _thing(config):
    """The shape of what moves in a frame."""
    side = config.generator.canvas_size
    return side, side, config.data.channels + 1


def _initialised(where, network, *inputs):
    """The output and the variables, which may be nothing but parameters."""
    key = jax.random.key(0)
    output, variables = network.init_with_output({"params": key, "attention": key}, *inputs)
    others = sorted(variables.keys() - {"params"})
    _require(where, not others, f"keeps {', '.join(others)}; expected params alone, for no step keeps more")
    return output, variables


def _check_shape(where, name, array, expected, names):
    shape = tuple(getattr(array, "shape", ()))
    _require(where, shape == expected, f"returns {name} {list(shape)}; expected {names} = {list(expected)}")


def _require(where, holds, text):
    if not holds:
        raise UsageError(f"{where} {text}")


def _rows(captions, number):
    return jax.tree.map(lambda part: jax.ShapeDtypeStruct((number, part.shape[1]), part.dtype), captions)


def _floats(*shape):
    return jax.ShapeDtypeStruct(shape, jnp.float32)


def _integers(number):
    return jax.ShapeDtypeStruct((number,), jnp.int32)
