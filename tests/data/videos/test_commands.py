"""`t2v data`: what it prints, writes and refuses."""

import json
import subprocess
import sys

import pytest

from t2v_jax import cli
from t2v_jax.data.videos import prepared as prepared_clips
from t2v_jax.data.videos.folder import read_folder
from tests.data.videos import files as videos


def test_the_commands(films, prepared, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ["--frames=4", "--size=16", "--workers=1", f"--test_share={videos.TEST_SHARE}"]
    assert cli.main(["data", "check", str(films), *options]) == 0
    checked = capsys.readouterr().out
    assert checked == f"{prepared[1]}\n" and list(tmp_path.iterdir()) == []
    assert cli.main(["data", "prepare", *options, str(films), "--output=out"]) == 0
    assert capsys.readouterr().out == checked + (
        "train on it with: t2v train --data=out --workdir=runs/out\n"
    )
    names = {file["name"] for file in json.loads((tmp_path / "out/manifest.json").read_text())["files"]}
    assert names == {file.name for file in prepared[1].used}


def test_a_folder_with_nothing_usable_is_an_error(tmp_path, capsys):
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats/a\n.mp4").write_bytes(b"no video")
    command = ["data", "prepare", str(tmp_path), f"--output={tmp_path / 'out'}", "--workers=1"]
    assert cli.main(command) == 2
    output, errors = capsys.readouterr()
    assert "  cats/a\\n.mp4: damaged" in output
    told = f"t2v: nothing usable in {tmp_path}: 1 left out, as cats/a\\n.mp4 (damaged, "
    assert errors.splitlines()[-1].startswith(told)
    assert not (tmp_path / "out/manifest.json").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["data"], "t2v data needs one of: check, prepare"),
        (["data", "nosuch"], "did you mean 'data check'?"),
        (["data", "check"], "t2v data check needs DIR"),
        (["data", "check", "nosuch"], "nosuch is no directory"),
        (["data", "check", ".", "more"], "unexpected 'more'; expected DIR and flags"),
        (["data", "check", ".", "--fps=0"], "fps=0.0: expected"),
        (["data", "check", ".", "--workers=0"], "--workers=0"),
        (["data", "prepare", ".", "--output=out", "--size=96"], "--size=96; expected 8 times a power of two"),
        (["data", "prepare"], "needs DIR and --output=..."),
        (["data", "prepare", ".", "--output=file/out"], "no videos in ."),
    ],
)
def test_a_wrong_command_is_told_in_one_line(arguments, told, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 2
    output, errors = capsys.readouterr()
    assert output == "" and errors.startswith("t2v: ") and errors.count("\n") == 1 and told in errors
    assert list(tmp_path.iterdir()) == []


def test_a_remark_is_told_of_what_is_used(tmp_path):
    videos.write(tmp_path / "a cat/pale\x1b.mp4", color_trc=16)
    report = str(prepared_clips.check(read_folder(tmp_path), videos.RECIPE, 1))
    assert "used, but\n  a cat/pale\\x1b.mp4: PQ colours, which come out pale" in report


UNGUARDED = """
from t2v_jax.data.videos.decode import ClipSpec
from t2v_jax.data.videos.folder import read_folder
from t2v_jax.data.videos.prepared import check
from t2v_jax.errors import UsageError
try:
    check(read_folder({!r}), ClipSpec(), 2)
except UsageError as error:
    print(error)
"""


def test_a_script_without_the_guard_is_told_in_one_line(films, tmp_path):
    (tmp_path / "script.py").write_text(UNGUARDED.format(str(films)))
    command = [sys.executable, str(tmp_path / "script.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 1)
    assert 'needs if __name__ == "__main__":' in done.stdout
