import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2v_jax import registry
from t2v_jax.errors import UsageError
from t2v_jax.text.entities import ENTITIES
from t2v_jax.text.language import Language
from t2v_jax.text.tags import TAGS
from t2v_jax.text.tokenizer import UNKNOWN

CAPTIONS = [
    *(f"digit {d} is {m}." for d in range(10) for m in ("up and down", "left and right")),
    *(f"The digit {d} is moving up and down" for d in range(10)),
    "a large red circle moves left",
    "woman biking, dark skin tone",
    "a bus in Paris",
]


def train(model_type="word", **options):
    return Language.train(CAPTIONS, model_type=model_type, vocabulary_size=80, **options)


LANGUAGES = {model_type: train(model_type) for model_type in registry.names("tokenizer")}


@pytest.fixture(params=registry.names("tokenizer"))
def language(request):
    return LANGUAGES[request.param]


def same(one, other):
    return all(map(np.array_equal, one, other))


def test_arrays_of_a_caption():
    language = LANGUAGES["word"]
    captions = language.encode(["The digit 3 is moving up and down.", "left"])
    assert [array.shape for array in captions] == [(2, 32)] * 4
    assert [array.dtype for array in captions] == [np.int32] * 3 + [bool]
    assert captions.mask.sum(1).tolist() == [8, 1]
    assert [TAGS[i - 1] for i in captions.tags[0, :8]] == "DT NN CD VBZ VBG RB CC RB".split()
    assert captions.entities[0, :4].tolist() == [0, 0, 1 + ENTITIES.index("CARDINAL"), 0]
    assert language.tokenizer.decode(captions.tokens[0]) == "the digit 3 is moving up and down"
    assert not any(array[~captions.mask].any() for array in captions)


@pytest.mark.parametrize(
    "variant",
    [
        "The digit 3 is moving up and down.",
        "THE DIGIT 3 IS MOVING UP AND DOWN",
        "the digit 3 — is moving: up and down!",
        "  the digit\n3 is\tmoving\x07 up and down ",
    ],
)
def test_case_marks_and_spaces_make_no_difference(language, variant):
    plain = language.encode(["the digit 3 is moving up and down"])
    assert same(language.encode([variant]), plain)


def test_capitals_of_captions_are_restored(language):
    assert [entity.kind for entity in language.parse("a bus in paris").entities] == ["LOCATION"]


def test_subwords_share_the_tag_and_the_entity_of_their_word():
    parse = LANGUAGES["unigram"].parse("a circle in Paris")
    paris = [token.start >= len("a circle in ") for token in parse.tokens]
    assert sum(paris) > 1
    assert {tag for tag, inside in zip(parse.tags, paris, strict=True) if inside} == {"NNP"}
    (entity,) = parse.entities
    assert (entity.start, entity.end) == (paris.index(True), len(paris))


def test_punctuation_of_the_captions_is_kept():
    pieces = [token.piece for token in LANGUAGES["word"].parse("woman, biking; left").tokens]
    assert pieces == ["▁woman", "▁,", "▁biking", "▁left"]


def test_unknown_words(language):
    unknown = language.unknown_words("The digt 3 is leftt — 😀 Zebra, digt")
    assert list(unknown) == ["digt", "leftt", "😀", "zebra"]
    assert unknown["digt"][0] == "digit" and unknown["leftt"] == ["left"] and unknown["😀"] == []
    assert language.unknown_words(CAPTIONS[0]) == {}


def test_the_known_words_of_a_sentence(language):
    sentence = language.known("The digt 3 is leftt — 😀 Zebra, up")
    assert sentence.split() == [w for w in sentence.split() if not language.unknown_words(w)]
    assert "3 is" in sentence and sentence.endswith("up") and "zebra" not in sentence.lower()
    assert same(language.encode([language.known(CAPTIONS[0])]), language.encode(CAPTIONS[:1]))
    with pytest.raises(UsageError, match="no word of"):
        language.known("zebra")


def test_unknown_words_have_the_unknown_id():
    captions = LANGUAGES["word"].encode(["digit zebra 😀"])
    assert (captions.tokens[0, :3] == UNKNOWN).tolist() == [False, True, True]


def test_a_word_that_the_vocabulary_has_no_room_for_is_unknown():
    language = Language.train(["up up up", "up down"], vocabulary_size=3)
    assert list(language.unknown_words("up down")) == ["down"]


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        ("", "no words"),
        (" \t\n", "no words"),
        ("...", "no words"),
        ("\x00\u200b", "no words"),
        ("zebra 😀", 'no word of "zebra 😀" is known to this model: use words such as '),
        ("ciircle", 'use words such as circle, as in "digit 0 is up and down."$'),
        ("digit " * 40, "has [0-9]+ tokens, expected at most 32: shorten it"),
        ("x" * 10_000, "has 10000 characters, expected at most 1000"),
        (3, "expected a sentence as text, got int"),
    ],
)
def test_bad_sentence(language, sentence, message):
    with pytest.raises(UsageError, match=message) as raised:
        language.encode(["digit 3", sentence])
    assert "\n" not in str(raised.value)


def test_bare_string_is_no_list_of_sentences(language):
    with pytest.raises(UsageError, match="expected a list"):
        language.encode("digit 3")


def test_no_sentences(language):
    assert [array.shape for array in language.encode([])] == [(0, 32)] * 4


def test_nothing_to_learn_from():
    with pytest.raises(UsageError):
        Language.train([])
    with pytest.raises(UsageError, match="no words"):
        Language.train(["digit 3", " "])


pieces_of_prompts = st.sampled_from(["digit", "3", "up", "Paris", ".", ",", " ", "3️⃣", "👩‍🚀", '"'])


def refusal(language, text):
    try:
        language.encode([text])
    except UsageError as error:
        return str(error)
    return None


@settings(deadline=None)
@given(st.text() | st.lists(pieces_of_prompts | st.text(max_size=3)).map(" ".join))
def test_any_text_is_encoded_or_refused(text):
    for language in LANGUAGES.values():
        if message := refusal(language, text):
            assert len(message.splitlines()) == 1
            continue
        captions, parse = language.encode([text]), language.parse(text)
        assert set(language.unknown_words(text)).isdisjoint(map(str.lower, language.words))
        count = len(parse.tokens)
        assert count == len(parse.tags) == captions.mask.sum() > 0
        assert captions.tags.max() <= len(TAGS) and captions.entities.max() <= len(ENTITIES)
        assert captions.tokens.max() < language.vocabulary_size
        assert (captions.tags > 0).sum() == (captions.tokens > 0).sum() == count
        assert language.parse(text) == parse


def language_type(language):
    return next(key for key, value in LANGUAGES.items() if value is language)


def test_a_sentence_is_parsed():
    parse = LANGUAGES["word"].parse("digit 3 in Paris")
    assert [token.piece for token in parse.tokens] == ["▁digit", "▁3", "▁in", "▁paris"]
    assert parse.tags == ["JJ", "CD", "IN", "NNP"]
    assert parse.kinds == [None, "CARDINAL", None, "LOCATION"]


def test_equal_by_content(language):
    twin = train(language_type(language))
    assert twin == language and hash(twin) == hash(language)
    assert twin != train(language_type(language), max_tokens=8)
    assert twin != Language(twin.tokenizer, twin.max_tokens, twin.words[1:])


def test_saved_language_comes_back(language, tmp_path):
    language.save(tmp_path / "language")
    loaded = Language.load(tmp_path / "language")
    assert loaded == language and loaded.words == language.words
    assert same(loaded.encode(CAPTIONS), language.encode(CAPTIONS))


@pytest.mark.parametrize("name", ["tokenizer.model", "language.json"])
@pytest.mark.parametrize("kept", [None, 0, 0.5])
def test_missing_or_truncated_file(language, tmp_path, name, kept):
    language.save(tmp_path)
    content = (tmp_path / name).read_bytes()
    if kept is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content[: int(kept * len(content))])
    with pytest.raises(UsageError, match=name):
        Language.load(tmp_path)


@pytest.mark.parametrize("content", ["[]", "{}", "null", '{"max_tokens": "x"}', "\x00"])
def test_file_of_something_else(language, tmp_path, content):
    language.save(tmp_path)
    (tmp_path / "language.json").write_text(content)
    with pytest.raises(UsageError, match="is damaged"):
        Language.load(tmp_path)


def test_import_is_light():
    program = (
        "import sys, t2v_jax.text.language;"
        "print([m for m in ('nltk', 'sentencepiece', 'jax', 'scipy') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr


def test_words_without_room_in_the_vocabulary_are_told(capsys):
    captions = [f"the {word} ball" for word in ("red", "green", "blue", "red")]
    language = Language.train(captions, vocabulary_size=5)
    assert language.words == ("ball", "the", "red")
    told = capsys.readouterr().err
    assert (
        told.startswith("2 of the captions' 5 words, as blue, green, have no room") and told.count("\n") == 1
    )
    size = int(told.split("vocabulary_size=")[1].split()[0])
    assert len(Language.train(captions, vocabulary_size=size).words) == 5
    assert capsys.readouterr().err == ""


def test_a_sentence_is_measured_in_normal_form():
    language = Language.train(["the red ball"])
    with pytest.raises(UsageError, match="has 17825 characters, expected at most 1000"):
        language.encode(["\ufdfa" * 990 + " ball"])
