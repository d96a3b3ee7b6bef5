"""A folder of videos: every way to caption it, and everything that is wrong with it, by name."""

import json
import os

import pytest

from t2v_jax.data.videos.folder import Video, read_folder, split_of
from t2v_jax.errors import UsageError

WAYS = ("captions.jsonl", "captions.csv", "metadata.jsonl", "metadata.csv", ".txt", "folders")


def folder(root, *names):
    """A folder in which each name is a file of other content."""
    for index, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"%d" % index)
    return root


def write(root, way, captions):
    """Writes captions, name -> text, in one of the ways; the last has them in the names."""
    file, caption = ("file", "caption") if way.startswith("captions") else ("file_name", "text")
    if way.endswith(".jsonl"):
        rows = [json.dumps({file: name, caption: text}) for name, text in captions.items()]
        (root / way).write_text("\n".join(rows), encoding="utf-8")
    elif way.endswith(".csv"):
        rows = [f'{name},"{text}"' for name, text in captions.items()]
        (root / way).write_text("\r\n".join([f"{file},{caption}", *rows]), encoding="utf-8-sig")
    elif way == ".txt":
        for name, text in captions.items():
            (root / name).with_suffix(way).write_text(text + "\n", encoding="utf-8")


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_caption(way, tmp_path):
    root = folder(tmp_path, "a-cat_jumps/1.mp4", "a-cat_jumps/2.GIF", "x/a dog runs/é.webm")
    texts = ["a cat jumps", "a cat jumps", "a dog runs"]
    names = ["a-cat_jumps/1.mp4", "a-cat_jumps/2.GIF", "x/a dog runs/é.webm"]
    write(root, way, dict(zip(names, texts)))
    found = read_folder(root)
    assert found.videos == [Video(name, (text,)) for name, text in zip(names, texts)]
    assert found.left_out == {} and found.directory == root


def test_the_first_way_that_a_folder_follows_holds_for_all_of_it(tmp_path):
    root = folder(tmp_path, "cats/a.mp4")
    for way in reversed(WAYS[:-1]):
        assert read_folder(root).videos[0].captions != (f"by {way}",)
        write(root, way, {"cats/a.mp4": f"by {way}"})
        assert read_folder(root).videos[0].captions == (f"by {way}",)


@pytest.mark.parametrize("table", ["file_name,label\ncats/a.mp4,4\n", "id,text\n7,a cat\n", "", "\0"])
def test_metadata_of_anything_else_are_passed_over(table, tmp_path):
    root = folder(tmp_path, "cats/a.mp4")
    (root / "metadata.csv").write_text(table)
    found = read_folder(root)
    assert found.videos == [Video("cats/a.mp4", ("cats",))] and found.left_out == {}


@pytest.mark.parametrize("way", WAYS)
def test_a_missing_caption_is_told(way, tmp_path):
    root = folder(tmp_path, "cats/a.mp4", "b.mp4")
    write(root, way, {"cats/a.mp4": "cats"})
    found = read_folder(root)
    assert [video.name for video in found.videos] == ["cats/a.mp4"]
    assert found.left_out.keys() == {"b.mp4"}
    assert found.left_out["b.mp4"].startswith("no caption: ")
    assert (way if way != "folders" else "no sub-folder") in found.left_out["b.mp4"]


@pytest.mark.parametrize("way", WAYS[:-1])
@pytest.mark.parametrize(
    ("caption", "told"),
    [
        ("кот прыгает", "its caption is in another script than Latin: 'к'"),
        ("a 猫 jumps", "its caption is in another script than Latin: '猫'"),
        ("... ", "its caption has no words"),
        ("so " * 400, "its caption has "),
    ],
)
def test_a_caption_that_cannot_be_used_is_told(way, caption, told, tmp_path):
    root = folder(tmp_path, "a.mp4", "b.mp4")
    write(root, way, {"a.mp4": caption, "b.mp4": "Crème  brûlée — 2 Straßen: “ok”!"})
    found = read_folder(root)
    assert found.videos == [Video("b.mp4", ('Crème brûlée — 2 Straßen: "ok"!',))]
    assert found.left_out["a.mp4"].startswith(told)


def test_damaged_rows_are_told_by_their_place(tmp_path):
    root = folder(tmp_path, *(f"{name}.mp4" for name in "abcd"))
    rows = [
        b'{"file": "./a.mp4", "caption": "a"}',
        b"{nonsense",
        b"",
        b'{"file": "a.mp4", "caption": "another"}',
        b'{"file": "../a.mp4", "caption": "x"}',
        b'{"file": "b.mp4"}',
        b'{"file": "c.mp4", "caption": 3}',
        b"[" * 100_000,
        b'{"file": "d.mp4", "caption": "caf\xe9"}',
    ]
    (root / "captions.jsonl").write_bytes(b"\r\n".join(rows))
    found = read_folder(root)
    assert found.videos == [Video("a.mp4", ("a", "another"))]
    lines = {name.rsplit(" ", 1)[-1]: told for name, told in found.left_out.items() if "line" in name}
    unclear = "expected a file and a caption"
    assert lines == {
        "2": unclear,
        "5": "there is no video '../a.mp4'",
        **dict.fromkeys("678", unclear),
    }
    assert found.left_out["d.mp4"] == "its caption is no UTF-8 text"
    assert all(found.left_out[f"{name}.mp4"].startswith("no caption") for name in "bc")


@pytest.mark.parametrize(
    "text",
    ["", "\0\0", "file\n", f'file,caption\na.mp4,"{"x" * 200_000}', "x,y\na.mp4,a\n", "a" * 200_000],
)
def test_a_damaged_csv_is_told(text, tmp_path):
    root = folder(tmp_path, "a.mp4")
    (root / "captions.csv").write_text(text)
    found = read_folder(root)
    assert found.videos == [] and "a.mp4" in found.left_out


def test_files_that_cannot_be_used_are_told(tmp_path):
    root = folder(tmp_path, *(f"cats/{name}.mp4" for name in "abcd"), "notes.md", "cats/x.jpg", "y.jpg")
    (root / "cats/b.mp4").write_bytes(b"")
    (root / "cats/c.mp4").write_bytes((root / "cats/a.mp4").read_bytes())
    (root / "cats/broken.mp4").symlink_to("nosuch")
    os.mkfifo(root / "cats/pipe.mp4")
    folder(root, ".hidden/a.mp4", "cats/._a.mp4")
    found = read_folder(root)
    assert [video.name for video in found.videos] == ["cats/a.mp4", "cats/d.mp4"]
    neither = "no file: a broken link, or something else than a file"
    assert found.left_out == {
        "cats/b.mp4": "empty file",
        "cats/c.mp4": "the same content as cats/a.mp4",
        "cats/broken.mp4": neither,
        "cats/pipe.mp4": neither,
        "*.jpg": "no video by the ending (files: 2)",
        "*.md": "no video by the ending (files: 1)",
    }


def test_a_copy_without_a_caption_leaves_the_other(tmp_path):
    root = folder(tmp_path, "a.mp4", "cats/b.mp4")
    (root / "a.mp4").write_bytes((root / "cats/b.mp4").read_bytes())
    assert read_folder(root).videos == [Video("cats/b.mp4", ("cats",))]


def test_a_name_may_have_any_bytes(tmp_path):
    name = os.fsdecode(b"cats/\xff\n.mp4")
    root = folder(tmp_path, name)
    assert read_folder(root).videos == [Video(name, ("cats",))]
    assert split_of(name) in ("train", "test")


def test_no_folder_and_no_video_are_errors(tmp_path):
    with pytest.raises(UsageError, match="nosuch is no directory; name"):
        read_folder(tmp_path / "nosuch")
    folder(tmp_path, "a.txt")
    with pytest.raises(UsageError, match="no videos in .*: expected files that end in .mp4 "):
        read_folder(tmp_path)


def test_a_tenth_is_for_the_test_by_name_alone():
    splits = [split_of(f"cats/{index}.mp4") for index in range(2000)]
    assert 150 < splits.count("test") < 250
    assert splits[:100] == [split_of(f"cats/{index}.mp4") for index in range(100)]


@pytest.mark.parametrize(
    ("table", "caption"),
    [
        ("file,caption\na.mp4,a red ball, which bounces\n", "a red ball, which bounces"),
        ('file,caption\na.mp4, "a red ball, big"\n', "a red ball, big"),
        ('File, Caption\n"a.mp4", a red ball \n', "a red ball"),
        ("caption,file\na red ball,a.mp4\n", "a red ball"),
        ("id;file;caption\n1;a.mp4;a red ball, big\n", "a red ball, big"),
        ("file\tcaption\na.mp4\ta red ball, big\n", "a red ball, big"),
        ("file,caption,,\na.mp4,a red ball,,\n", "a red ball"),
        ("file,caption\r\n\r\na.mp4,a red ball\r\n", "a red ball"),
    ],
)
@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_csv_of_any_kind_gives_the_whole_caption(table, caption, coding, tmp_path):
    root = folder(tmp_path, "a.mp4")
    (root / "captions.csv").write_bytes(table.encode(coding))
    found = read_folder(root)
    assert found.videos == [Video("a.mp4", (caption,))] and found.left_out == {}


def test_a_csv_row_with_a_field_too_many_is_told(tmp_path):
    root = folder(tmp_path, "a.mp4", "b.mp4")
    (root / "captions.csv").write_text("caption,file\na ball, red,a.mp4\na box,b.mp4\n")
    found = read_folder(root)
    assert found.videos == [Video("b.mp4", ("a box",))]
    assert found.left_out["captions.csv line 2"] == "expected a file and a caption"


def test_a_video_may_have_several_captions(tmp_path):
    root = folder(tmp_path, "a.mp4", "b.mp4")
    rows = "a.mp4,a ball", "b.mp4,кот", "a.mp4,a red ball", "b.mp4,a box", "a.mp4,a ball"
    (root / "captions.csv").write_text("\n".join(["file,caption", *rows]))
    found = read_folder(root)
    assert found.videos == [Video("a.mp4", ("a ball", "a red ball")), Video("b.mp4", ("a box",))]
    assert found.left_out == {"b.mp4": "its caption is in another script than Latin: 'к'"}
    (root / "captions.jsonl").write_text('{"file": "a.mp4", "caption": ["a ball", "a red ball"]}\n')
    assert read_folder(root).videos == [Video("a.mp4", ("a ball", "a red ball"))]


@pytest.mark.parametrize("way", WAYS[:-1])
def test_endings_may_be_in_capitals(way, tmp_path):
    root = folder(tmp_path, "cats/CLIP.MP4")
    write(root, way, {"cats/CLIP.MP4": "a ball"})
    for path in [*root.glob("*.*"), *root.glob("cats/*.txt")]:
        path.rename(path.with_name(path.name.upper()))
    found = read_folder(root)
    assert found.videos == [Video("cats/CLIP.MP4", ("a ball",))] and found.left_out == {}


@pytest.mark.parametrize("way", WAYS[:-1])
def test_a_name_may_be_in_any_unicode_form(way, tmp_path):
    names = {form: f"caf{accent}.mp4" for form, accent in (("NFC", "\xe9"), ("NFD", "e\u0301"))}
    for ours, theirs in (("NFC", "NFD"), ("NFD", "NFC")):
        root = folder(tmp_path / ours, names[ours])
        write(root, way, {names[theirs]: "a ball"})
        assert read_folder(root).videos == [Video(names[ours], ("a ball",))]


@pytest.mark.parametrize("caption", ["the Hawai\u02bbi flag", "a bead of 5 \xb5m", "10 \u2126 resistors"])
def test_single_symbols_are_of_no_other_script(caption, tmp_path):
    root = folder(tmp_path, "a.mp4", "b.mp4")
    write(root, "captions.csv", {"a.mp4": caption, "b.mp4": "\u03b3\u03ac\u03c4\u03b1"})
    found = read_folder(root)
    assert [video.name for video in found.videos] == ["a.mp4"]
    assert found.left_out == {"b.mp4": "its caption is in another script than Latin: '\u03b3'"}


@pytest.mark.parametrize(("label", "words"), [("ApplyEyeMakeup", "apply eye makeup"), ("TV_on", "tv on")])
def test_a_label_is_read_as_its_words(label, words, tmp_path):
    assert read_folder(folder(tmp_path, f"{label}/a.mp4")).videos[0].captions == (words,)


def test_links_are_followed_and_no_circles(tmp_path):
    outside = folder(tmp_path / "outside", "a dog/a.mp4", "b.mp4")
    root = folder(tmp_path / "root", "a cat/c.mp4")
    (root / "a cat/c.mp4").write_bytes(b"c")
    (root / "a dog").symlink_to(outside / "a dog")
    (root / "a link").symlink_to(root / "a cat")
    (root / "a cat" / "up").symlink_to(root)
    (root / "a cat" / "b.mp4").symlink_to(outside / "b.mp4")
    found = read_folder(root)
    assert [video.name for video in found.videos] == ["a cat/b.mp4", "a cat/c.mp4", "a dog/a.mp4"]
    assert found.left_out == {}


def test_names_in_reasons_are_printable(tmp_path):
    root = folder(tmp_path, "cats/a\x1b[2J\n.mp4", "cats/b.mp4")
    (root / "cats/b.mp4").write_bytes(b"0")
    assert read_folder(root).left_out == {"cats/b.mp4": "the same content as cats/a\\x1b[2J\\n.mp4"}


def test_small_folders_keep_none_for_the_test(tmp_path):
    root = folder(tmp_path, *(f"cats/{index}.mp4" for index in range(49)))
    shares = {share: read_folder(root, share).test_share for share in (None, 0, 0.3)}
    assert shares == {None: 0, 0: 0, 0.3: 0.3}
    folder(root, *(f"cats/{index}.mp4" for index in range(50)))
    assert read_folder(root).test_share == 0.1
    with pytest.raises(UsageError, match="test_share=1: expected 0 or more"):
        read_folder(root, 1)


def test_a_larger_share_keeps_those_of_a_smaller_one():
    names = [f"cats/{index}.mp4" for index in range(2000)]
    of_shares = [{name for name in names if split_of(name, share) == "test"} for share in (0, 0.05, 0.1, 0.5)]
    assert all(small < large for small, large in zip(of_shares, of_shares[1:]))
    assert of_shares[0] == set() and 900 < len(of_shares[3]) < 1100
