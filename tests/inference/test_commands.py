"""t2v generate, models and show, through the command."""

import dataclasses
import itertools
import pathlib

import numpy as np
import pytest
from PIL import Image

import t2v_jax
from t2v_jax import cli
from t2v_jax.inference import model

ONE, TWO = "the digit 3 is moving up and down", "digit 5 is left and right"


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory):
    directory = tmp_path_factory.mktemp("exported") / "small"
    t2v_jax.save(t2v_jax.load(trained), directory)
    return directory


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Runs a command in an empty folder: its output lines, and what it says on stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        assert cli.main([*map(str, arguments)]) == 0
        output, errors = capsys.readouterr()
        return output.splitlines(), errors

    return run


def clips(*paths):
    return [np.load(path) for path in paths]


def test_a_sentence_alone_is_enough_and_names_the_file(run, exported):
    assert run("generate", ONE, f"--model={exported}") == (["the-digit-3-is-moving-up-and-down.gif"], "")
    assert run("generate", f"--prompt={ONE}", f"--model={exported}", "--output=b.gif") == (["b.gif"], "")
    (first, second) = sorted(pathlib.Path().iterdir())
    assert first.read_bytes() == second.read_bytes()


def test_several_sentences_write_the_files_that_each_alone_would(run, exported):
    pathlib.Path("sentences.txt").write_text(f"\ufeff{TWO}\n\n{ONE}\n", encoding="utf-8")
    flags = f"--model={exported}", "--seed=7"
    together = run("generate", ONE, "--prompts=sentences.txt", *flags, "--output=clip.npy")[0]
    assert together == ["clip-1.npy", "clip-2.npy"]
    alone = [run("generate", text, *flags, f"--output={text[-4:]}.npy")[0][0] for text in (ONE, TWO)]
    np.testing.assert_array_equal(clips(*together), clips(*alone))
    names = ["1-the-digit-3-is-moving-up-and-down.gif", "2-digit-5-is-left-and-right.gif"]
    assert run("generate", ONE, TWO, *flags)[0] == names


def test_takes_stand_side_by_side(run, exported):
    run("generate", ONE, f"--model={exported}", "--seed=1", "--seeds=3", "--output=takes.npy")
    params = t2v_jax.load(exported)
    (takes,) = clips("takes.npy")
    assert takes.shape == (4, 16, 3 * 17 - 1, 1)
    for number in range(3):
        expected = t2v_jax.generate(params, ONE, seed=1 + number)
        np.testing.assert_array_equal(takes[:, :, 17 * number : 17 * number + 16], expected)


def test_a_contact_sheet_shows_all_sentences_and_takes(run, exported):
    flags = f"--model={exported}", "--seeds=2", "--frames=3"
    assert run("generate", ONE, TWO, *flags, "--output=sheet.png")[0] == ["sheet.png"]
    with Image.open("sheet.png") as image:
        assert image.size == (3 * 17 - 1, 4 * 17 - 1)
    shown = run("show", "sheet.png")[0]
    assert shown[:2] == [f"prompt    {ONE}", f"prompt    {TWO}"] and "seeds     2" in shown


def test_a_schedule_is_a_stream_whose_prompt_changes(run, exported):
    run("generate", f"0: {ONE} | 2: {TWO}", f"--model={exported}", "--seed=3", "--output=clip.npy")
    stream = t2v_jax.Stream(t2v_jax.load(exported), ONE, seed=3)
    before = [*itertools.islice(stream, 2)]
    stream.prompt = TWO
    (clip,) = clips("clip.npy")  # four frames, as in training, after the last change
    np.testing.assert_array_equal(clip, [*before, *itertools.islice(stream, 4)])


def test_a_sentence_after_the_last_frame_is_refused(run, exported, capsys):
    flags = f"--model={exported}", "--frames=8"
    assert cli.main(["generate", f"0: {ONE} | 8: {TWO}", *flags]) == 2
    assert "frame 8" in capsys.readouterr().err and not [*pathlib.Path().iterdir()]


def test_what_is_understood_is_told_once_in_one_line(run, exported):
    typed = "the Digits three quickly moving left"
    output, errors = run("generate", typed, f"--model={exported}", "--seeds=2")
    told = "digits → digit; three → 3; 'quickly' is unknown and left out"
    assert errors == f"t2v: warning: {told}\n"
    plain = "the digit 3 moving left"
    assert run("generate", plain, f"--model={exported}", "--seeds=2", "--output=b.gif")[1] == ""
    assert run("generate", "digits 3 left", f"--model={exported}", "--strict", "--output=c.gif")[1] == (
        "t2v: understood: digits → digit\n"
    )


@pytest.mark.parametrize("ending", ["gif", "mp4", "webp", "png"])
def test_show_tells_what_a_file_was_made_from(run, exported, ending):
    path = f"clip.{ending}"
    run("generate", ONE, f"--model={exported}", "--seed=5", "--frames=3", f"--output={path}")
    told = [("prompt", ONE), ("model", "small"), ("seed", 5), ("frames", 3), ("version", t2v_jax.__version__)]
    assert run("show", path) == ([f"{name:<10}{value}" for name, value in told], "")


def test_models_lists_what_ships(run):
    lines, _ = run("models")
    assert [line.split()[0] for line in lines[:-1]] == model.shipped()
    assert all("64 x 64 pixels" in line for line in lines[:-1])


def test_models_tells_words_sentences_and_limits(run):
    lines, _ = run("models", "pixel-characters")
    text = " ".join(" ".join(lines).split())
    assert "verbs casts" in text and "limits Spears are hard" in text and "RGB, 16 frames" in text
    assert "t2v generate --model=pixel-characters 'a man with blue hair in a yellow shirt" in text


def test_models_tells_of_ones_own_too(run, trained):
    lines, _ = run("models", trained)
    words = {word.strip(",") for line in lines for word in line.split()}
    assert {"digit", "moving", "3", "16", "examples"} <= words
    example = lines[lines.index("examples") + 1]
    assert example.startswith(f"  t2v generate --model={trained} '") and "digit" in example


def test_explain_also_writes_a_picture_of_what_each_word_counted(run, exported):
    flags = f"--model={exported}", "--frames=5"
    assert run("generate", ONE, *flags, "--output=clip.npy", "--explain=why.png")[0] == [
        "clip.npy",
        "why.png",
    ]
    assert "seed      0" in run("show", "why.png")[0]
    explanation = t2v_jax.explain(t2v_jax.load(exported), ONE, frames=5)
    (clip,) = clips("clip.npy")
    assert np.abs(np.asarray(explanation.video, int) - clip).max() <= 1
    assert explanation.attention.shape == (5, 1, 2, len(explanation.parse.tokens))
    np.testing.assert_allclose(explanation.attention.sum(-1), 1, atol=1e-5)
    with Image.open("why.png") as image:
        np.testing.assert_array_equal(image, explanation.picture())
    assert explanation._repr_png_().startswith(b"\x89PNG")


def test_a_longer_bar_stands_for_more_attention(exported):
    explanation = t2v_jax.explain(t2v_jax.load(exported), ONE, frames=2)
    one_word = np.zeros_like(explanation.attention)
    one_word[..., 3] = 1
    half = dataclasses.replace(explanation, attention=one_word / 2).picture()
    full = dataclasses.replace(explanation, attention=one_word).picture()
    blue = [(picture == (0x1F, 0x6F, 0xC4)).all(-1).sum(1).max() for picture in (half, full)]
    assert blue == [2 * 32, 2 * 64]  # in two frames


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ([TWO, "--explain=why.png"], "one sentence"),
        (["--seeds=2", "--explain=why.png"], "one sentence"),
        (["--explain=why.gif"], "ends in .png"),
        (["--explain=nowhere/why.png"], "nowhere is no directory"),
    ],
)
def test_what_cannot_be_explained_is_refused_before_anything_is_written(exported, capsys, flags, told):
    assert cli.main(["generate", ONE, f"--model={exported}", *flags]) == 2
    assert told in capsys.readouterr().err


def test_a_loop_ends_where_it_began(run):
    flags = "--model=animated-emoji", "--loop"
    run("generate", "woman running, medium skin tone", *flags, "--frames=32", "--output=loop.npy")
    (clip,) = clips("loop.npy")
    first, again = clip.astype(float).reshape(2, 16, *clip.shape[1:])
    assert np.abs(first - again).mean() < 2 < np.abs(np.diff(first, axis=0)).mean()


def test_a_background_of_another_colour_is_written(run):
    run("generate", ONE, "--background=navy", "--output=navy.npy")
    (clip,) = clips("navy.npy")
    assert clip.shape == (16, 64, 64, 3) and (clip[:, 0, 0] == (0, 0, 128)).all()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ([ONE, "--loop"], "do not repeat, as --loop needs; those of pixel-characters, animated-emoji do"),
        (["woman running", "--loop", "--model=animated-emoji", "--frames=20"], "needs a multiple of 16"),
        ([ONE, "--background=nvay"], "expected a colour"),
    ],
)
def test_what_cannot_loop_or_be_coloured_is_refused(run, capsys, asked, told):
    assert cli.main(["generate", *asked]) == 2
    assert told in capsys.readouterr().err and not [*pathlib.Path().iterdir()]
