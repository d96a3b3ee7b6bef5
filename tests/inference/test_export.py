"""Models that are given away: what is exported is whole, and is read again or runs alone."""

import json
import pathlib
import shutil
import subprocess
import sys
import zipfile

import jax
import numpy as np
import pytest

import t2v_jax
from t2v_jax import cli
from t2v_jax.errors import UsageError
from t2v_jax.inference import card, model
from t2v_jax.inference.card_draft import draft_card
from t2v_jax.inference.export import export


@pytest.fixture(scope="module")
def params(trained):
    return t2v_jax.load(trained)


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory):
    """A directory of the model in each format of weights, by ending."""
    place = tmp_path_factory.mktemp("exported")
    for kind in ("npz", "safetensors"):
        flags = f"--workdir={trained}", f"--output={place / kind}", f"--format={kind}"
        assert cli.main(["export", *flags]) == 0
    return place


def assert_same(ours, theirs):
    """Both models have the same arrays, but for half precision."""
    assert ours.language == theirs.language and ours.config == theirs.config
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-6), ours, theirs)


@pytest.mark.parametrize("kind", ["npz", "safetensors"])
def test_what_is_exported_is_loaded_again(exported, params, trained, kind):
    assert_same(t2v_jax.load(exported / kind), params)
    kept = model.load_discriminator(exported / kind)
    assert jax.tree.structure(kept) == jax.tree.structure(model.load_discriminator(trained))
    assert {path.suffix for path in (exported / kind).glob("weights.*")} == {f".{kind}"}


def test_a_zip_is_loaded_as_its_directory_is(exported, params, trained, tmp_path):
    export(trained, tmp_path / "model.zip")
    assert_same(t2v_jax.load(tmp_path / "model.zip"), params)
    flat = pathlib.Path(shutil.make_archive(str(tmp_path / "flat"), "zip", exported / "safetensors"))
    assert_same(t2v_jax.load(flat), params)
    assert "model.zip" in card.describe(str(tmp_path / "model.zip"))


def test_a_card_is_drafted_and_a_written_one_kept(exported, params, tmp_path):
    drafted = (exported / "npz" / "README.md").read_text()
    assert drafted.startswith("# npz\n\n16 x 16 pixels, 4 frames, gray.")
    assert f'"{params.language.examples[0]}"' in drafted and "**Licence.** To be added" in drafted
    assert card.summary(exported / "npz").startswith("16 x 16 pixels")
    shutil.copytree(exported / "npz", tmp_path / "edited")
    (tmp_path / "edited" / "README.md").write_text("# mine\n\nMy own words.\n")
    export(tmp_path / "edited", tmp_path / "again", "safetensors")
    assert (tmp_path / "again" / "README.md").read_text() == "# mine\n\nMy own words.\n"


def test_a_card_tells_the_newest_score_of_the_run(exported, params, tmp_path):
    run = shutil.copytree(exported / "npz", tmp_path / "run", ignore=shutil.ignore_patterns("README.md"))
    scores = [{"caption_match": share, "caption_match_real": 0.9} for share in (0.1, 0.714)]
    rows = [{"step": 4} | scores[0], {"step": 9} | scores[1], {"step": 12, "generator_loss": 1}]
    (run / "metrics.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert "At step 9 its matcher found the captions of 71.4 % of its clips" in draft_card(params, run, "run")


def test_a_program_runs_where_this_package_is_not(trained, params, tmp_path):
    directory = tmp_path / "program"
    export(trained, directory, "stablehlo")
    alone = "import sys; sys.modules['t2v_jax'] = sys.modules['flax'] = None; exec(open('usage.py').read()); "
    code = alone + "numpy.save('video.npy', video); print(*program.platforms, sentence, sep='\\n')"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=directory, check=True, capture_output=True, text=True
    )
    *platforms, sentence = ran.stdout.splitlines()
    assert platforms == ["cpu", "cuda", "tpu"]
    expected = t2v_jax.generate(params, sentence, seed=0)
    difference = np.load(directory / "video.npy").astype(int) - expected
    assert difference.shape == expected.shape and np.abs(difference).max() <= 1


def test_exporting_overwrites_nothing(trained, exported, tmp_path):
    (tmp_path / "model.zip").write_bytes(b"mine")
    for place, kind in ((exported / "npz", "npz"), (tmp_path, "stablehlo"), (tmp_path / "model.zip", "npz")):
        with pytest.raises(UsageError, match="is there already"):
            export(trained, place, kind)
    assert (tmp_path / "model.zip").read_bytes() == b"mine"


@pytest.mark.parametrize("package", ["safetensors", "flatbuffers"])
def test_a_package_that_is_missing_is_named(trained, tmp_path, monkeypatch, package):
    for name in (package, f"{package}.numpy", "jax._src.export.serialization"):
        monkeypatch.setitem(sys.modules, name, None)
    kind = {"safetensors": "safetensors", "flatbuffers": "stablehlo"}[package]
    with pytest.raises(UsageError, match=f"pip install {package}"):
        export(trained, tmp_path / "model", kind)
    assert not [*tmp_path.iterdir()]


def zipped(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"notes.txt": "hello"}, "files of 0 models"),
        ({"a/config.json": "{}", "b/config.json": "{}"}, "files of 2 models"),
        ({"weights.npz": bytes(2**28 + 2**26)}, "declares more than"),
    ],
)
def test_a_zip_of_no_model_is_refused(tmp_path, files, told):
    with pytest.raises(UsageError, match=told):
        t2v_jax.load(zipped(tmp_path / "model.zip", files))


def test_a_zip_writes_nothing_outside(exported, tmp_path):
    files = {path.name: path.read_bytes() for path in (exported / "npz").iterdir()}
    t2v_jax.load(zipped(tmp_path / "model.zip", files | {"outside.txt": "x", "../outside.txt": "x"}))
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["model.zip"]


@pytest.mark.parametrize("harm", [lambda data: data[:9999], lambda data: b"", lambda data: b"x" * 99])
def test_damaged_safetensors_are_named(exported, tmp_path, harm):
    directory = shutil.copytree(exported / "safetensors", tmp_path / "copy")
    weights = directory / "weights.safetensors"
    weights.write_bytes(harm(weights.read_bytes()))
    with pytest.raises(UsageError, match=r"weights.safetensors is damaged") as caught:
        t2v_jax.load(directory)
    assert "\n" not in str(caught.value)
