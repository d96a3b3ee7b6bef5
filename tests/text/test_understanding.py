"""What is understood of a sentence, and how it is told."""

import pytest

from t2v_jax.errors import UsageError
from t2v_jax.inference.model import SHIPPED
from t2v_jax.text.language import Language
from t2v_jax.text.understanding import understand

CAPTIONS = [
    "the digit 3 is moving up and down",
    "two circles move left",
    "a woman is biking with us",
    "a man walks",
    "walking is for us",
]
LANGUAGE = Language.train(CAPTIONS)


@pytest.mark.parametrize("caption", [*CAPTIONS, "The digit 3 — is MOVING up!"])
def test_a_sentence_of_known_words_is_taken_as_it_is(caption):
    found = understand(LANGUAGE, caption)
    assert str(found) == "" and found.replaced == {} and found.unknown == {} and found.nearest == []
    assert LANGUAGE.parse(found.sentence) == LANGUAGE.parse(caption)


@pytest.mark.parametrize(
    ("typed", "read", "told"),
    [
        ("the digit three is moving", "the digit 3 is moving", "three → 3"),
        ("2 circles move left", "two circles move left", "2 → two"),
        ("The Digits 3", "the digit 3", "digits → digit"),
        ("a circle", "a circles", "circle → circles"),
        ("women with us", "woman with us", "women → woman"),
        ("two circles move leftward", "two circles move left", "leftward → left"),
        ("a man on a Bike", "a man a biking", "bike → biking; 'on' is unknown and left out"),
        ("a man is biking quickly", "a man is biking", "'quickly' is unknown and left out"),
        (
            "the digit 3 is upp",
            "the digit 3 is",
            "'upp' is unknown and left out (known: up for 'upp')",
        ),
        (
            "two cats and dogs move with a man",
            "two and move with a man",
            "'cats' and 'dogs' are unknown and left out",
        ),
        # Two known words have this stem, and that of "use" is "us".
        ("a man walked with us", "a man with us", "'walked' is unknown and left out (known: "),
        ("a man use us", "a man us", "'use' is unknown and left out"),
    ],
)
def test_words_that_mean_the_same_are_read_and_told_in_one_line(typed, read, told):
    found = understand(LANGUAGE, typed)
    assert found.sentence == read and str(found).startswith(told)
    assert "\n" not in str(found) and found.nearest == []


def test_a_sentence_far_from_training_shows_captions_like_it():
    found = understand(LANGUAGE, "zebras graze near a woman quietly")
    assert found.sentence == "a woman" and found.nearest[0] == "a woman is biking with us"
    assert str(found).endswith(
        'far from all that was trained: try "a woman is biking with us" or "a man walks"'
    )


DIGITS = ["digit 3 is moving slowly", "digit 7 is moving quickly", "digit 5 is moving slowly"]


@pytest.mark.parametrize(
    ("typed", "missing"),
    [
        ("the digit is moving slowly", {"numbers": ["3", "5", "7"]}),
        ("the digit 3 is moving", {"adverbs": ["quickly", "slowly"]}),
        ("digit", {"adverbs": ["quickly", "slowly"], "numbers": ["3", "5", "7"]}),
        ("3 slowly", {}),  # nothing can be meant but the one noun and the one verb of all captions
    ],
)
def test_a_sentence_without_what_all_captions_name_shows_some(typed, missing):
    found = understand(Language.train(DIGITS), typed)
    assert {kind: sorted(words) for kind, words in found.missing.items()} == missing
    assert bool(found.nearest) == ("trained (no word like" in str(found)) == bool(missing)


def test_a_caption_is_not_far_from_training_for_a_tag_that_its_word_has_alone():
    """A tagger takes "rose" for a verb."""
    things = "apple banana rose car cat fish guitar penguin rocket hamburger cactus butterfly".split()
    language = Language.train(
        [f"a {size} {thing} moving left" for size in ("small", "large") for thing in things]
    )
    assert "rose" not in " ".join(language.examples)
    assert str(understand(language, "a small rose moving left")) == ""
    assert understand(language, "small, moving left").missing.keys() == {"nouns"}


def test_two_captions_say_nothing_of_all():
    assert understand(Language.train(DIGITS[:2]), "the digit is slow").missing == {}


def test_words_that_say_little_do_not_make_a_sentence_far():
    assert understand(LANGUAGE, "the digit is at this line").nearest == []
    assert understand(LANGUAGE, "the digit near this line").nearest != []


def test_a_sentence_without_known_words_is_refused_with_an_example():
    with pytest.raises(UsageError, match=f'no word of "zebras graze" is known.*as in "{CAPTIONS[0]}"'):
        understand(LANGUAGE, "zebras graze")


@pytest.mark.parametrize(
    ("model", "typed", "told"),
    [
        ("moving-digits", "the digit seven moves up and down", "seven → 7; moves → moving"),
        ("moving-shapes", "a big red circle moves left", "'big' is unknown and left out"),
        ("animated-emoji", "two women juggle", "women → woman; juggle → juggling"),
        ("animated-emoji", "man on a bike, dark skin", "bike → biking"),
    ],
)
def test_natural_sentences_are_understood_by_the_models_that_ship(model, typed, told):
    said = str(understand(Language.load(SHIPPED / model), typed))
    assert told in said


def test_examples_come_back_and_are_some_of_the_captions(tmp_path):
    captions = [f"digit {number}" for number in range(100)]
    language = Language.train(captions * 2)
    assert len(language.examples) <= 8 and set(language.examples) < set(captions)
    assert language.examples[0] == "digit 0" and language.examples[-1] > "digit 8"
    language.save(tmp_path)
    assert Language.load(tmp_path).examples == language.examples


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\xef\xbb\xbfdigit 3\r\n\r\n  digit 4 \n", ("digit 3", "digit 4")),
        (b"caf\xe9\ndigit 4\n", ("digit 4",)),  # a line of another encoding is no example
        (b"", ()),
        (None, ()),
    ],
)
def test_examples_of_any_encoding_are_read_line_by_line(tmp_path, data, expected):
    LANGUAGE.save(tmp_path)
    file = tmp_path / "prompts.txt"
    file.unlink()
    if data is not None:
        file.write_bytes(data)
    assert Language.load(tmp_path).examples == expected
