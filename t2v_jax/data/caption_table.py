"""The encoded captions of a source, kept in a file: tagging each of 100,000 takes longer than compiling."""

import contextlib
import hashlib
import io
import json
import pathlib
import zipfile
from collections.abc import Sequence

import numpy as np

from t2v_jax import __version__
from t2v_jax.errors import naming
from t2v_jax.runtime.files import write_atomically
from t2v_jax.text.language import Captions, Language


def caption_table(
    captions: Sequence[str], language: Language, path: pathlib.Path | None = None, write: bool = True
) -> Captions:
    """The captions as `language.encode` gives them, without the places that none of them fills.

    Read from `path` if these captions stand there, encoded by this language; otherwise encoded, and written
    there, unless `write` is false. Raises UsageError for a caption that `language` cannot encode.
    """
    digest = _digest(captions, language)
    table = _read(path, digest) if path else None
    if table is None:
        with naming("text.max_tokens", "text.vocabulary_size"):
            table = _trimmed(language.encode(captions))
        if path and write:
            buffer = io.BytesIO()
            np.savez_compressed(buffer, digest=digest, **table._asdict())
            write_atomically(path, buffer.getvalue())
    return table


def _read(path, digest) -> Captions | None:
    """What stands in the file; None for no file, a damaged one, or one of other captions."""
    with contextlib.suppress(OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
        arrays = np.load(io.BytesIO(path.read_bytes()))
        if arrays["digest"] == digest:
            return Captions(*(arrays[name] for name in Captions._fields))
    return None


def _digest(captions, language) -> str:
    """Of all that the encoding depends on."""
    facts = [__version__, language.max_tokens, language.words, list(captions)]
    return hashlib.sha256(language.tokenizer.model + json.dumps(facts).encode()).hexdigest()


def _trimmed(captions: Captions) -> Captions:
    """The captions without the places that none of them fills: a recurrent encoder takes a step for each."""
    longest = int(captions.mask.sum(1).max())
    return Captions(*(field[:, :longest] for field in captions))
