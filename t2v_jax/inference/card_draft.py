"""A card for a model that is to be given away: what the run says of it, and what its maker is to add."""

import json
import pathlib

import jax

import t2v_jax
from t2v_jax.inference.card import words_by_kind
from t2v_jax.inference.model import find_directory

SHOWN = 4  # example sentences, and words of a kind


def draft_card(params, source, name: str) -> str:
    """README.md of a model of that name; the one it has already, where `source` (as for `load`) has one."""
    directory = find_directory(source)
    written = directory / "README.md"
    if written.is_file():
        return written.read_text(encoding="utf-8", errors="replace")
    data, language = params.config.data, params.language
    examples = [f'"{example}"' for example in language.examples[:SHOWN]]
    paragraphs = [
        f"# {name}",
        f"{data.size} x {data.size} pixels, {data.frames} frames, {'gray' if data.channels == 1 else 'RGB'}. "
        f"{sum(leaf.size for leaf in jax.tree.leaves(params)) / 1e6:.2f} M parameters, float16.",
        f"    t2v generate {(examples or [language.words[0]])[0]} --model={name} --output=clip.gif",
        f"**Prompts** that it knows: {', '.join(examples)}. {_words(language)}",
        f"**Trained** {_training(params.config)}{_score(directory)}",
        "**Numbers.** To be added: what `t2v evaluate` tells.",
        "**Limits.** To be added: what it paints badly, and what it was never shown.",
        "**Licence.** To be added: what it was trained on may bind you.",
    ]
    return "\n\n".join(paragraphs) + "\n"


def _words(language):
    kinds = (f"{kind} such as {', '.join(words[:SHOWN])}" for kind, words in words_by_kind(language).items())
    return f"Its words: {'; '.join(kinds)}."


def _training(config):
    begun = f", begun from `{config.init_from}`" if config.init_from else ""
    spent = f"{config.minutes:g} minutes" if config.minutes else f"{config.steps:,} steps"
    world = f"the world `{config.data.world}`" if config.data.world != "clips" else "prepared clips"
    return f"by t2v_jax {t2v_jax.__version__} on {world}: {spent} of {config.batch_size} clips a step{begun}."


def _score(workdir: pathlib.Path) -> str:
    """What the newest caption match of a run was, empty where there is none."""
    try:
        lines = (workdir / "metrics.jsonl").read_text().splitlines()
        scored = [row for row in map(json.loads, lines) if "caption_match" in row]
        row = max(scored, key=lambda row: row["step"])
        share, real = (f"{100 * row[name]:.1f} %" for name in ("caption_match", "caption_match_real"))
    except (OSError, ValueError, LookupError, TypeError):
        return ""
    step = f"{row['step']:,}"
    return (
        f" At step {step} its matcher found the captions of {share} of its clips, and of {real} of real ones."
    )
