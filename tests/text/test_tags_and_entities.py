import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2v_jax.text.entities import ENTITIES, Entity, find_entities
from t2v_jax.text.tags import TAGS, tag_words
from t2v_jax.text.words import split_words


def entities_of(sentence):
    words = split_words(sentence)
    found = find_entities(words, tag_words(words))
    return [(kind, " ".join(words[start:end])) for kind, start, end in found]


@pytest.mark.parametrize(
    ("sentence", "tags"),
    [
        ("The digit 3 is moving up and down", "DT NN CD VBZ VBG RB CC RB"),
        ("a large red circle moves slowly", "DT JJ JJ NN VBZ RB"),
        ('It\'s a "big" dog.', "PRP VBZ DT `` JJ '' NN"),
        ("the woman (in Paris) runs", "DT NN -LRB- IN NNP -RRB- VBZ"),
        ("two dogs and 3.5 cats", "CD NNS CC CD NNS"),
    ],
)
def test_golden_tags(sentence, tags):
    assert tag_words(split_words(sentence)) == tags.split()


def test_tags_of_all_digits_are_cardinal():
    assert tag_words("0 1 2 3 4 5 6 7 8 9".split()) == ["CD"] * 10


@pytest.mark.parametrize(
    ("sentence", "entities"),
    [
        ("the digit 3 is left and the digit 7 is right", [("CARDINAL", "3"), ("CARDINAL", "7")]),
        (
            "Dr. Robert Smith walks in New York",
            [("PERSON", "Robert Smith"), ("LOCATION", "New York")],
        ),
        ("a train leaves Berlin on Monday", [("LOCATION", "Berlin")]),
        ("they row past Stanford University", [("ORGANIZATION", "Stanford University")]),
        ("planes of NATO", [("ORGANIZATION", "NATO")]),
        ("rain in LONDON today", [("LOCATION", "LONDON")]),
        ("a large red circle moves left", []),
        ("", []),
    ],
)
def test_golden_entities(sentence, entities):
    assert entities_of(sentence) == entities


def test_place_beside_an_unknown_name_is_parted():
    assert find_entities(["Xyzzy", "Berlin"], ["NNP", "NNP"]) == [Entity("LOCATION", 1, 2)]


def test_a_title_makes_a_person_of_any_name():
    assert find_entities(["Mr.", "Xyzzy"], ["NNP", "NNP"]) == [Entity("PERSON", 1, 2)]


words_strategy = st.lists(
    st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1)
    | st.sampled_from("Paris Robert Smith Monday Dr Bank 3 two NATO and".split()),
    max_size=12,
)


@settings(deadline=None)
@given(words_strategy)
def test_any_words_have_tags(words):
    tags = tag_words(words)
    assert len(tags) == len(words) and set(tags) <= set(TAGS)


@settings(deadline=None)
@given(words_strategy, st.data())
def test_entities_are_disjoint_ordered_and_repeatable(words, data):
    tags = data.draw(st.lists(st.sampled_from(TAGS), min_size=len(words), max_size=len(words)))
    found = find_entities(words, tags)
    edges = [edge for entity in found for edge in (entity.start, entity.end)]
    assert edges == sorted(edges) and all(entity.start < entity.end for entity in found)
    assert all(entity.kind in ENTITIES and entity.end <= len(words) for entity in found)
    assert find_entities(words, tags) == found
