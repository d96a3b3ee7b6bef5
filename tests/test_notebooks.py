"""The notebooks: stored without outputs, and run from top to bottom by a process in an empty folder."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

FOLDER = pathlib.Path(__file__).parents[1] / "experiments" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
WRITTEN = {  # what the cells leave behind
    "generate_and_steer": ["steered.gif", "steered.mp4"],
    "train_on_an_accelerator": ["digits/metrics.jsonl"],
    "train_on_your_clips": ["mine.zip", "run/config.json"],
    "watch_attention": [],
}
# As a notebook does: the value of a cell's last expression is shown in the richest way that it has.
RUN = """
import ast, sys
names = {"__name__": "__main__"}
for number, cell in enumerate(CELLS):
    body = ast.parse(cell).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), f"cell {number}", "exec"), names)
    if last is not None:
        value = eval(compile(ast.Expression(last.value), f"cell {number}", "eval"), names)
        shows = (getattr(value, show, None) for show in ("_repr_html_", "_repr_png_"))
        shown = next((show() for show in shows if show), None)
        assert value is None or shown, f"cell {number} shows {value!r:.200}"
"""


def cells(path):
    """The texts of a notebook's code cells."""
    told = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in told if cell["cell_type"] == "code"]


def test_all_notebooks_are_known():
    assert [path.stem for path in NOTEBOOKS] == sorted(WRITTEN)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_outputs(path):
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        assert not cell.get("outputs") and cell.get("execution_count") is None


def test_the_first_cell_is_the_same_in_all():
    assert len({cells(path)[0] for path in NOTEBOOKS}) == 1


def test_the_first_cell_says_what_to_do_where_the_package_is_missing(tmp_path):
    hidden = "import importlib.util; importlib.util.find_spec = lambda name: None\n"
    told = subprocess.run(
        [sys.executable, "-c", hidden + cells(NOTEBOOKS[0])[0]], cwd=tmp_path, capture_output=True, text=True
    )
    assert told.returncode == 1 and told.stderr.startswith(
        "t2v_jax is not installed: name its wheel in WHEEL"
    )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(path, tmp_path):
    told = subprocess.run(
        [sys.executable, "-c", f"CELLS = {cells(path)!r}\n{RUN}"],
        cwd=tmp_path,
        env=os.environ | {"T2V_JAX_QUICK": "1"},
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert all((tmp_path / name).is_file() for name in WRITTEN[path.stem])
