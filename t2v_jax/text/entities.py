"""Named entities: chunks of tagged words (NLTK's RegexpParser), typed by gazetteers."""

import functools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from t2v_jax.text.assets import load_asset
from t2v_jax.text.lazy_nltk import nltk_module

ENTITIES = ("PERSON", "LOCATION", "ORGANIZATION", "CARDINAL")
"""The types of entities in order."""

_GRAMMAR = """
    NAME: {<NNP|NNPS>+}
    CARDINAL: {<CD>+}
"""
_ORGANIZATION_WORDS = frozenset(
    "Academy Agency Airlines Airways Army Assembly Association Authority Bancorp Bank Board "
    "Brothers Bureau Cabinet Center Centre Chamber Church City Club Co Co. College Commission "
    "Committee Company Congress Corp Corp. Corporation Council Court Department Exchange FC "
    "Federation Force Forces Foundation Front Fund Group Guard Holdings Inc Inc. Industries "
    "Institute International League Ltd Ltd. Ministry Motors Museum News Newspapers Office "
    "Organisation Organization PLC Parliament Partners Party Police Press Radio School Securities "
    "Senate Society Systems Team Television Times Treasury Tribunal Union United University".split()
)
_PLACE_WORDS = frozenset(
    "Avenue Bay Beach Coast County Gulf Island Islands Lake Mountains Ocean Peninsula Province "
    "River Sea Street Valley".split()
)
_CALENDAR = frozenset(
    "January February March April May June July August September October November December Monday "
    "Tuesday Wednesday Thursday Friday Saturday Sunday".split()
)
_TITLES = frozenset("Mr Mr. Mrs Mrs. Ms Ms. Dr Dr. Sir Lady Lord President Professor".split())


class Entity(NamedTuple):
    """Items start to end (excluded) name one thing of a kind in ENTITIES."""

    kind: str
    start: int
    end: int


class Gazetteer(NamedTuple):
    """Known names: places of one or more words, people's given names and surnames."""

    places: frozenset[str]
    given_names: frozenset[str]
    surnames: frozenset[str]


def find_entities(words: Sequence[str], tags: Sequence[str]) -> list[Entity]:
    """Entities among tagged words, in order and disjoint; the same on every machine."""
    found = []
    for label, start, end in _chunks(words, tags):
        if label == "CARDINAL":
            found.append(Entity(label, start, end))
        else:
            found.extend(_names(words, start, end))
    return found


def _chunks(words: Sequence[str], tags: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Label, start and end of each chunk of the grammar."""
    if not any(tag.startswith("NNP") or tag == "CD" for tag in tags):
        return
    tree, start = nltk_module("tree").Tree, 0
    for node in _chunk_parser().parse(tree("S", list(zip(words, tags, strict=True)))):
        is_chunk = isinstance(node, tree)
        end = start + (len(node) if is_chunk else 1)
        if is_chunk:
            yield node.label(), start, end
        start = end


def _names(words: Sequence[str], start: int, end: int) -> Iterator[Entity]:
    """The names in a run of proper nouns: the whole run, or a place at either end and the rest."""
    while start < end and words[start] in _CALENDAR | _TITLES:
        start += 1
    while start < end and words[end - 1] in _CALENDAR:
        end -= 1
    if start == end:
        return
    if kind := _kind(words, start, end):
        yield Entity(kind, start, end)
        return
    for cut in range(start + 1, end):
        if _is_place(words[start:cut]) or _is_place(words[cut:end]):
            yield from _names(words, start, cut)
            yield from _names(words, cut, end)
            return


def _kind(words: Sequence[str], start: int, end: int) -> str | None:
    """What a run of proper nouns names as a whole, None where nothing says so."""
    known, run = _gazetteer(), [_capitalised(word) for word in words[start:end]]
    if start > 0 and words[start - 1] in _TITLES:
        return "PERSON"
    if _is_place(run) or run[-1] in _PLACE_WORDS:
        return "LOCATION"
    if not _ORGANIZATION_WORDS.isdisjoint(run):
        return "ORGANIZATION"
    if run[0] in known.given_names or run[-1] in known.surnames:
        return "PERSON"
    is_acronym = len(run) == 1 and 2 <= len(run[0]) <= 5 and words[start].isupper()
    # Where everything is written in capitals they mean nothing.
    return "ORGANIZATION" if is_acronym and not " ".join(words).isupper() else None


def _is_place(run: Sequence[str]) -> bool:
    return " ".join(map(_capitalised, run)) in _gazetteer().places


def _capitalised(word: str) -> str:
    """London for LONDON; short words stay, since they may be acronyms."""
    return word.capitalize() if len(word) > 3 and word.isalpha() and word.isupper() else word


@functools.cache
def _gazetteer() -> Gazetteer:
    return Gazetteer(**{kind: frozenset(names) for kind, names in load_asset("gazetteer").items()})


@functools.cache
def _chunk_parser():
    return nltk_module("chunk.regexp").RegexpParser(_GRAMMAR)
