"""A description of a model: its card, its words by kind, its example sentences."""

import pathlib
import re
import shlex
import textwrap

from t2v_jax.inference import model
from t2v_jax.text.kinds import KINDS, kind_of
from t2v_jax.text.words import is_punctuation

MOST_WORDS = 60  # shown of a kind, the frequent ones


def summary(directory: pathlib.Path) -> str:
    """The first sentences of a model's card, empty where it has none."""
    paragraphs = _paragraphs(directory)
    return paragraphs[1] if len(paragraphs) > 1 else ""


def describe(source: str) -> str:
    """A text of several lines: what a model paints, its size, words, example sentences and limits.

    `source` as for `load`, which need not read the weights for that. Raises UsageError as `load`.
    """
    directory = model.find_directory(source)
    config, language = model.load_definition(directory)
    data, prefix = config.data, f"t2v generate --model={shlex.quote(str(source))}"
    colours = "gray" if data.channels == 1 else "RGB"
    parts = {"model": str(source), "about": summary(directory)}
    parts["video"] = f"{data.size} x {data.size} pixels, {colours}, {data.frames} frames as in training"
    parts |= {kind: ", ".join(words) for kind, words in words_by_kind(language).items()}
    parts["limits"] = _limits(directory)
    lines = [_wrapped(title, text) for title, text in parts.items() if text]
    examples = [f"  {prefix} {shlex.quote(example)}" for example in language.examples]
    return "\n".join([*lines, *(["examples", *examples] if examples else [])])


def words_by_kind(language) -> dict[str, list[str]]:
    """Kind of word -> the captions' words of it, at most MOST_WORDS, see `text.kinds`."""
    kinds = {kind: [] for kind in KINDS}
    for word in language.words:
        if not is_punctuation(word):
            kinds[kind_of(language, word)].append(word)
    return {kind: _cut(words) for kind, words in kinds.items() if words}


def _cut(words):
    more = len(words) - MOST_WORDS
    return words if more <= 0 else [*words[:MOST_WORDS], f"and {more} more"]


def _limits(directory):
    marked = [text for text in _paragraphs(directory) if text.startswith("**Limits.**")]
    return marked[0].removeprefix("**Limits.**").strip() if marked else ""


def _paragraphs(directory):
    try:
        text = (directory / "README.md").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text.strip())]


def _wrapped(title, text):
    return textwrap.fill(text, 100, initial_indent=f"{title:<14}", subsequent_indent=14 * " ")
