"""report.html of a workdir: a run in one file that needs nothing from elsewhere."""

import base64
import datetime
import html
import json
import os
import pathlib
import platform
import shlex
import sys
from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np

import t2v_jax
from t2v_jax import config as configuration
from t2v_jax.config.fields import flat
from t2v_jax.inference.video import preview
from t2v_jax.runtime.files import write_atomically
from t2v_jax.training.curves import curves

REPORT = "report.html"
FIGURES = (  # title, what it shows, the metrics that it draws
    ("Losses", "Of both networks.", ("discriminator_loss", "generator_loss")),
    ("Margin", "How much higher D scores real clips than others.", ("over_generated", "over_wrong_caption")),
    (
        "Caption match",
        "Share of clips that fit their own caption best, beside real clips that training never saw.",
        ("caption_match", "caption_match_real"),
    ),
    ("Penalty weight", "Of the gradient penalties: it grows while D wins.", ("penalty_weight",)),
    ("Diversity", "How much clips differ from one another.", ("diversity", "real_diversity")),
    ("Speed", "Clips a second, over all devices.", ("clips_per_second",)),
)
MARGINS = {"over_generated": "fake_score", "over_wrong_caption": "wrong_caption_score"}


class Sheet(NamedTuple):
    """What a model paints at a step: a clip, uint8 [frames, height, width, 1 or 3], for each caption."""

    step: int
    captions: Sequence[str]
    clips: np.ndarray


def write_report(
    run, status: str, devices: str, warnings: Sequence[str] = (), sheet: Sheet | None = None
) -> None:
    """Write the report of a `Run`, from its metrics.jsonl and samples, as they are now.

    `status` says how far it is, `devices` what it trains on, `warnings` what Health has found.
    Raises UsageError where the workdir cannot be written.
    """
    series = _series(run.workdir / "metrics.jsonl")
    title = html.escape(str(run.workdir))
    parts = [
        _STYLE.replace("TITLE", title),
        f"<header><h1>{title}</h1><p>{html.escape(status)}</p></header>",
        _warnings(warnings),
        _samples(run.workdir, sheet),
        _section("Curves", f'<div class="figures">{_figures(series)}</div>') if series else "",
        _section("Numbers", _numbers(series)) if series else "",
        _section("Run", _facts(devices)),
        _section("Configuration", _configuration(run.config)),
        "</main></body></html>\n",
    ]
    write_atomically(run.workdir / REPORT, "\n".join(filter(None, parts)).encode(errors="replace"))


def _series(path) -> dict[str, list[tuple[int, float]]]:
    """The finite values of each metric, with their steps."""
    series = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        metrics = json.loads(line)
        step = metrics.pop("step")
        if "real_score" in metrics:
            metrics |= {
                name: metrics["real_score"] - metrics[other]
                for name, other in MARGINS.items()
                if None not in (metrics["real_score"], metrics[other])
            }
        for name, value in metrics.items():
            if value is not None:
                series.setdefault(name, []).append((step, value))
    return series


def _warnings(warnings):
    items = "".join(f"<li>{html.escape(warning)}</li>" for warning in warnings)
    return f'<ul class="warnings" role="alert">{items}</ul>' if items else ""


def _samples(workdir, sheet):
    """The newest sheet, as videos where it is at hand, with links to all that were kept as pictures."""
    pictures = sorted(path for path in (workdir / "samples").glob("*.png") if path.stem.isdecimal())
    if sheet is None and not pictures:
        return ""
    if sheet is None:
        step = int(pictures[-1].stem)
        body = f'<img class="sheet" alt="" src="{_data("image/png", pictures[-1].read_bytes())}">'
    else:
        step = sheet.step
        figures = (
            f'<figure><img alt="" src="{_data("image/webp", preview(clip))}">'
            f"<figcaption>{html.escape(caption)}</figcaption></figure>"
            for caption, clip in zip(sheet.captions, sheet.clips)
        )
        body = f'<div class="clips">{"".join(figures)}</div>'
    links = " ".join(f'<a href="samples/{path.name}">{int(path.stem):,}</a>' for path in pictures)
    return _section(f"Samples at step {step:,}", f"{body}<p>Every frame, by step: {links}</p>")


def _data(kind, content):
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _figures(series):
    return "".join(
        curves(title, note, {name.replace("_", " "): series.get(name, ()) for name in names})
        for title, note, names in FIGURES
    )


def _numbers(series):
    rows = [
        (name, f"{points[-1][1]:.6g}", f"{points[-1][0]:,}")
        for name, points in series.items()
        if name not in MARGINS
    ]
    return _table(("metric", "last value", "at step"), rows)


def _facts(devices):
    command = shlex.join([pathlib.Path(sys.argv[0]).name, *sys.argv[1:]])
    processes = f", {jax.process_count()} processes" if jax.process_count() > 1 else ""
    machine = f"{os.cpu_count()} CPU cores, {platform.system()} {platform.machine()}"
    versions = f"t2v_jax {t2v_jax.__version__}, jax {jax.__version__}, Python {platform.python_version()}"
    facts = {
        "command": command,
        "devices": devices + processes,
        "machine": machine,
        "versions": versions,
        "written": f"{datetime.datetime.now().astimezone():%Y-%m-%d %H:%M %Z}",
    }
    items = (f"<dt>{name}</dt><dd>{html.escape(value)}</dd>" for name, value in facts.items())
    return f"<dl>{''.join(items)}</dl>"


def _configuration(config):
    """The fields that somebody or something chose, and folded all of them."""
    chosen = configuration.differences(config, configuration.default())
    rows = [(name, _text(ours), _text(default)) for name, (ours, default) in chosen.items()]
    fields = flat(config.to_dict())
    everything = _table(("field", "value"), [(name, _text(value)) for name, value in fields.items()])
    differing = _table(("differs from the default", "value", "default"), rows)
    return f"{differing}<details><summary>All {len(fields)} fields</summary>{everything}</details>"


def _text(value):
    return '""' if value == "" else str(value)


def _section(title, body):
    return f"<section><h2>{title}</h2>{body}</section>"


def _table(head, rows):
    def row(cells, tag):
        return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"

    body = "".join(row(cells, "td") for cells in rows)
    return f'<div class="wide"><table><thead>{row(head, "th")}</thead><tbody>{body}</tbody></table></div>'


# The policy keeps the promise that nothing is loaded from elsewhere.
_STYLE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>TITLE</title>
<style>
:root { color-scheme: light dark; --text: #1c1e21; --soft: #5c6166; --page: #fff; --edge: #d9dce0;
  --line0: #0b5fc0; --line1: #b84c00; --warn: #fff4dc; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e8ea; --soft: #a3a9af; --page: #14161a; --edge: #363b42;
    --line0: #6fb1ff; --line1: #ffa25c; --warn: #43340f; }
}
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.45 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 16px; }
h1 { font-size: 1.4rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2rem 0 .6rem; border-bottom: 1px solid var(--edge); }
h3 { font-size: 1rem; margin: 0; }
header p, figcaption p { margin: .1rem 0; color: var(--soft); }
figure { margin: 0; }
a { color: var(--line0); }
.warnings { background: var(--warn); border-radius: 6px; padding: .6rem .8rem .6rem 2rem; }
.clips { display: grid; grid-template-columns: repeat(auto-fill, minmax(130px, 1fr)); gap: 14px; }
.clips img { width: 100%; display: block; image-rendering: pixelated; border: 1px solid var(--edge); }
.sheet { max-width: 100%; }
.clips figcaption { font-size: .9rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 420px), 1fr));
  gap: 24px; }
.figures figure { display: flex; flex-direction: column; justify-content: space-between; }
svg { width: 100%; height: auto; }
svg path { stroke: var(--edge); }
svg text { fill: var(--soft); font-size: 12px; }
polyline { fill: none; stroke-width: 1.6; stroke-linejoin: round; stroke-linecap: round; }
polyline.line0 { stroke: var(--line0); }
polyline.line1 { stroke: var(--line1); }
.key { display: inline-block; margin-right: 1.2em; }
.key.line0 { color: var(--line0); }
.key.line1 { color: var(--line1); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { text-align: left; padding: .15rem 1.2rem .15rem 0; border-bottom: 1px solid var(--edge); }
th { color: var(--soft); font-weight: 600; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
summary { cursor: pointer; margin: .8rem 0; }
</style></head>
<body><main>"""
