"""A generator as a program of StableHLO, which JAX runs on CPU, CUDA and TPU without this package."""

import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np

from t2v_jax.errors import UsageError
from t2v_jax.inference.generation import sample_noise, to_bytes
from t2v_jax.runtime.files import local_path, new_directory
from t2v_jax.text.language import Captions
from t2v_jax.text.understanding import understand

PLATFORMS = "cpu", "cuda", "tpu"
PROGRAM, SENTENCES = "program.bin", "sentences.json"
USAGE = """\
# Needs jax and flatbuffers alone.
import json, pathlib
import jax.export, numpy

program = jax.export.deserialize(bytearray(pathlib.Path("program.bin").read_bytes()))
sentences = json.loads(pathlib.Path("sentences.json").read_text())
sentence = {example}
tokens, tags, entities, mask = (
    numpy.array(row, kind) for row, kind in zip(sentences[sentence].values(), ["int32"] * 3 + [bool])
)
video = program.call(tokens, tags, entities, mask, numpy.uint32(0))  # the last one is the seed
"""


def save_program(params, directory: str | pathlib.Path, card: str = "") -> None:
    """Write the program, the model's example sentences as its arguments, and how to call it.

    The program takes tokens, tags and entities int32 [max_tokens] and the mask bool [max_tokens] of a
    sentence, as `Language.encode` makes them, and a seed uint32; it returns uint8 [frames, height, width,
    channels], of the training length: the video of `generate`. `card`: as for `save`. Raises UsageError.
    """
    directory = local_path(directory)
    if directory.exists():
        raise UsageError(f"{directory} is there already; choose a new name or remove it")
    language = params.language
    examples = language.examples or language.words[:1]
    captions = language.encode([understand(language, example).sentence for example in examples])
    rows = {
        example: {name: field[row].tolist() for name, field in captions._asdict().items()}
        for row, example in enumerate(examples)
    }
    program = _serialized(params)
    with new_directory(directory) as part:
        (part / PROGRAM).write_bytes(program)
        (part / SENTENCES).write_text(json.dumps(rows), encoding="utf-8")
        if card:
            (part / "README.md").write_text(card, encoding="utf-8")
        (part / "usage.py").write_text(USAGE.replace("{example}", repr(examples[0])), encoding="utf-8")


def _serialized(params):
    from jax import export

    def paint(tokens, tags, entities, mask, seed):
        captions = Captions(*(field[None] for field in (tokens, tags, entities, mask)))
        noise = sample_noise(params, seed, jnp.arange(1))
        output = params.network.apply(params.generator, captions, noise, params.config.data.frames)
        return to_bytes(output.clips[0])

    row = (params.language.max_tokens,)
    arguments = [jax.ShapeDtypeStruct(row, kind) for kind in (*[np.int32] * 3, bool)]
    arguments.append(jax.ShapeDtypeStruct((), np.uint32))
    try:
        return export.export(jax.jit(paint), platforms=PLATFORMS)(*arguments).serialize()
    except ImportError as error:
        needs = "no package flatbuffers, which --format=stablehlo needs: pip install flatbuffers"
        raise UsageError(needs) from error
