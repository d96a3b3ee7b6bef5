import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2v_jax.text.words import fold_case, is_punctuation, normalise, split_words


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("digit 6 is up and down.", "digit 6 is up and down"),
        ("  The\tdigit\n3 goes up!  ", "The digit 3 goes up"),
        ("A circle goes up. A square stays.", "A circle goes up A square stays"),
        ("woman biking, dark skin tone", "woman biking , dark skin tone"),
        ("the dog’s “ball”", "the dog 's `` ball ''"),
        ("ｄｉｇｉｔ ３ is\u200b mo\x00ving", "digit 3 is moving"),
        ("a\u2581b\ud800", "a b"),
        (" ... ", ""),
    ],
)
def test_words_of_a_sentence(sentence, words):
    assert split_words(sentence) == tuple(words.split())


@given(st.text())
def test_normal_form_is_clean_and_stays(text):
    normal = normalise(text)
    assert normalise(normal) == normal
    assert normal == " ".join(normal.split())
    normal.encode()  # no lone surrogates


@settings(deadline=None)
@given(st.text())
def test_words_have_no_spaces(text):
    assert all(word and not any(map(str.isspace, word)) for word in split_words(text))


@given(st.text())
def test_folding_keeps_length(text):
    assert len(fold_case(text)) == len(text)
    assert fold_case(fold_case(text)) == fold_case(text)


def test_punctuation():
    assert all(map(is_punctuation, [",", "``", "''", "--", "$", "…"]))
    assert not any(map(is_punctuation, ["a", "3", "'s", "😀", "é"]))
