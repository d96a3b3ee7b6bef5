"""`export`: a trained model, to be given away."""

import pathlib
import shutil
import tempfile

from t2v_jax.errors import UsageError
from t2v_jax.inference import model
from t2v_jax.inference.card_draft import draft_card
from t2v_jax.inference.program import save_program
from t2v_jax.runtime.files import check_writable, local_path, write_atomically


def export(source, output: str | pathlib.Path, kind: str = "npz", step: int | None = None) -> None:
    """Write a model with a card to a new directory, or to a file where `output` ends in .zip.

    `source`, `step`: as `load`. `kind`: npz or safetensors, which `load` reads, or stablehlo, a program that
    needs JAX alone (see `save_program`). Raises UsageError.
    """
    output = local_path(output)
    if output.exists():
        raise UsageError(f"{output} is there already; choose a new name or remove it")
    if output.suffix.lower() != ".zip":
        _write(source, output, kind, step)
        return
    check_writable(output)
    with tempfile.TemporaryDirectory() as place:
        directory = pathlib.Path(place, output.stem)
        _write(source, directory, kind, step)
        archive = shutil.make_archive(str(directory), "zip", place, output.stem)
        write_atomically(output, pathlib.Path(archive).read_bytes())


def _write(source, directory, kind, step):
    params, discriminator = model.load_networks(source, step)
    card = draft_card(params, source, directory.name)
    if kind == "stablehlo":
        save_program(params, directory, card)
    else:
        model.save(params, directory, discriminator, f".{kind}", card)
