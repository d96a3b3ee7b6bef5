"""A model that somebody sent as a .zip."""

import atexit
import functools
import pathlib
import shutil
import tempfile
import zipfile

from t2v_jax.errors import UsageError
from t2v_jax.inference.weights import COMPRESSION, ENDINGS, SMALL

# What is read of a model; other files stay in the archive, whatever their names.
NAMES = {f"{part}{ending}" for part in ("weights", "discriminator") for ending in ENDINGS}
NAMES |= {"config.json", "language.json", "tokenizer.model", "prompts.txt", "README.md"}


def unpacked(path: pathlib.Path) -> pathlib.Path:
    """The directory with the files of a model in a .zip, until the process ends; any other path as it is.

    The files may be in one folder of the archive. Raises UsageError for a damaged archive, and for one that
    would grow more than a model does.
    """
    if path.suffix.lower() != ".zip" or not path.is_file():
        return path
    state = path.stat()
    return _unpack(path.absolute(), state.st_mtime_ns, state.st_size)


@functools.cache
def _unpack(path, _, size):
    directory = pathlib.Path(tempfile.mkdtemp(prefix="t2v_jax-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(archive)
            if sum(member.file_size for member in members.values()) > COMPRESSION * size + SMALL:
                raise ValueError("it declares more than a model of its size holds")
            for name, member in members.items():
                (directory / name).write_bytes(archive.read(member))
    except Exception as error:  # the readers raise almost anything
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UsageError(f"cannot read {path}: {reason}; expected a .zip of a saved model") from error
    return directory


def _members(archive):
    """Name -> member, of the files of a model, which are at the top or in one folder."""
    found = [member for member in archive.infolist() if pathlib.PurePosixPath(member.filename).name in NAMES]
    folders = {pathlib.PurePosixPath(member.filename).parent for member in found}
    if len(folders) != 1:
        raise ValueError(f"files of {len(folders)} models")
    return {pathlib.PurePosixPath(member.filename).name: member for member in found}
