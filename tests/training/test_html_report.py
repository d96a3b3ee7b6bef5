"""report.html: what a run shows of itself in one file."""

import base64
import html.parser
import io
import json
import re
import shutil
import types

import numpy as np
import pytest
from PIL import Image

from t2v_jax.errors import UsageError
from t2v_jax.runtime import sharding
from t2v_jax.training import loop
from t2v_jax.training.curves import curves
from t2v_jax.training.html_report import write_report

VOID = {"meta", "img"}  # elements without an end


class Page(html.parser.HTMLParser):
    """A page's elements, each with its attributes, and the text of all."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.text, self._open = [], "", []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text += f"{data}\n"

    def all(self, tag):
        """The attributes of each element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]


def page(workdir):
    return Page((workdir / "report.html").read_text())


def test_a_finished_run_has_a_page_that_needs_nothing_else(trained):
    text = (trained / "report.html").read_text()
    assert "http:" not in text and "https:" not in text and "//" not in re.sub('base64,[^"]*', "", text)
    shown = page(trained)
    assert all(image["src"].startswith("data:image/webp;base64,") for image in shown.all("img"))
    assert [link["href"] for link in shown.all("a")] == ["samples/0000004.png"]
    assert "step 4 of 4, finished" in shown.text and str(trained) in shown.text


def test_the_page_shows_the_captions_and_their_videos(trained):
    images = [base64.b64decode(image["src"].split(",")[1]) for image in page(trained).all("img")]
    captions = page(trained).text.split("Samples at step 4")[1].split("Every frame")[0].split()
    assert len(images) == " ".join(captions).count("digit") > 1
    for data in images:
        with Image.open(io.BytesIO(data)) as image:
            assert (image.n_frames, image.size) == (4, (16, 16))


def test_the_numbers_are_those_of_the_metrics_file(trained):
    *_, last = map(json.loads, (trained / "metrics.jsonl").read_text().splitlines())
    words = page(trained).text.split("Numbers")[1].split()
    assert last.pop("step") == 4 and last["clips_per_second"] > 0
    for name, value in last.items():
        assert words[words.index(name) + 1 :][:2] == [f"{value:.6g}", "4"]
    margin = last["real_score"] - last["fake_score"]
    assert f"over generated \n{margin:.4g}\n" in page(trained).text
    assert len(page(trained).all("svg")) == 5  # and no caption match, for there was none


def test_the_page_shows_what_was_chosen(trained, small):
    text = page(trained).text
    first, everything = text.split("All ")
    assert f"batch_size\n{small.batch_size}\n32\n" in first
    assert "loss.kind" not in first and "loss.kind\nrelativistic\n" in everything


def test_a_run_that_goes_on_and_fails_keeps_its_curves_and_its_sheet(small, tmp_path, monkeypatch, trained):
    workdir = shutil.copytree(trained, tmp_path / "run")
    (workdir / "samples" / "mine.png").write_bytes(b"")
    small.update(steps=6, sample_every=100)

    def failing(mesh, batch):
        raise OSError("no device")

    monkeypatch.setattr(sharding, "shard_batch", failing)
    with pytest.raises(UsageError, match="stopped"):
        loop.train(small, workdir)
    shown = page(workdir)
    assert "step 4 of 6, failed: OSError no device" in shown.text and len(shown.all("svg")) == 5
    (image,) = shown.all("img")
    sheet = (workdir / "samples" / "0000004.png").read_bytes()
    assert base64.b64decode(image["src"].removeprefix("data:image/png;base64,")) == sheet


def test_texts_of_others_are_no_html(tmp_path, small):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "<b>x</b>": null, "<i>y</i>": 2}\n')
    run = types.SimpleNamespace(workdir=tmp_path, config=small)
    small.data.directory = "<script>"
    write_report(run, "<u>training</u>", "1 x <cpu>", ["D wins & <G> loses"])
    shown = page(tmp_path)
    assert not {"b", "i", "u", "script", "g", "cpu"} & {tag for tag, _ in shown.elements if tag != "b"}
    for text in ("<u>training</u>", "1 x <cpu>", "D wins & <G> loses", "<i>y</i>", "<script>"):
        assert text in shown.text


def test_curves_end_in_the_newest_value():
    steps = range(0, 100_000, 7)
    drawn = curves("Loss", "", {"a": [(step, step / 100) for step in steps], "b": [], "c": [(5, 1.0)]})
    lines = [line["points"].split() for line in Page(drawn).all("polyline")]
    assert 390 < len(lines[0]) <= 400 and len({*lines[1]}) == 1 and "<b>1000<" in drawn
    ends = [tuple(map(float, point.split(","))) for point in (lines[0][0], lines[0][-1])]
    np.testing.assert_allclose(ends, [(52, 176), (470, 8)], atol=3)
    assert curves("Loss", "", {"a": [], "b": []}) == ""
    flat = Page(curves("Loss", "", {"a": [(1, 2.0), (9, 2.0)]})).all("polyline")[0]["points"]
    assert {point.split(",")[1] for point in flat.split()} == {"92.0"}
