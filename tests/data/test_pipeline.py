"""The batches: what is in them, their order, their sharing among processes, and resuming."""

import itertools
import json
import subprocess
import sys

import grain
import jax
import numpy as np
import orbax.checkpoint as ocp
import pytest

from t2v_jax.data.hard_negatives import NEGATIVES_PER_CLIP
from t2v_jax.data.pipeline import clip_batches
from t2v_jax.data.worlds.moving_digits import MovingDigits
from t2v_jax.errors import UsageError
from t2v_jax.text.language import Language

SOURCE = MovingDigits("train", 24, frames=4, size=20, digit_size=14)


@pytest.fixture(scope="module")
def language():
    return Language.train(SOURCE.captions())


@pytest.fixture
def batches(language):
    """Makes an iterator over SOURCE; closes its threads."""
    opened = []

    def make(batch_size=4, **options):
        opened.append(clip_batches(SOURCE, language, batch_size, **options))
        return opened[-1]

    yield make
    for iterator in opened:
        iterator.close()


class Numbered:
    """Twenty-four tiny clips that carry their own number as a label."""

    def __len__(self):
        return 24

    def __getitem__(self, index):
        clip = np.full((2, 3, 3, 1), index, np.uint8)
        return {"clip": clip, "caption": "digit 6 is up and down.", "caption_class": 0, "number": index}

    def captions(self):
        return {"digit 6 is up and down.": 0}


def numbers(language, steps, **options):
    """The labels [steps, batch] of the first batches of Numbered."""
    iterator = clip_batches(Numbered(), language, **options)
    labels = np.stack([next(iterator)["number"] for _ in range(steps)])
    iterator.close()
    return labels


def test_clips_of_one_class_stay_side_by_side(language):
    source = MovingDigits("train", 24, frames=4, size=20, digit_size=14, clips_per_caption=3)
    clips = [element["clip"].tobytes() for element in source]
    batches = clip_batches(source, language, 6, threads=0)
    shown = []
    for batch in itertools.islice(batches, 4):
        assert (batch["caption_class"].reshape(2, 3) == batch["caption_class"][::3, None]).all()
        assert np.all(
            batch["caption_class"][:, None] != batch["negative_classes"].reshape(6, NEGATIVES_PER_CLIP)
        )
        shown += [clip.tobytes() for clip in batch["clip"]]
    assert sorted(shown) == sorted(clips) and shown != clips


def test_a_batch_holds_whole_groups(language):
    source = MovingDigits("train", 24, frames=4, size=20, digit_size=14, clips_per_caption=3)
    with pytest.raises(UsageError, match="expected a positive multiple of .*, 2 times clips_per_caption, 3"):
        clip_batches(source, language, 4, process_index=0, process_count=2)


def assert_same(one, another):
    jax.tree.map(np.testing.assert_array_equal, one, another)


def test_a_batch_has_the_promised_arrays(batches, language):
    batch = next(batches(6))
    assert batch.keys() == {
        "clip",
        "captions",
        "digit",
        "motion",
        "caption_class",
        "negatives",
        "negative_classes",
    }
    assert batch["clip"].shape == (6, 4, 20, 20, 1) and batch["clip"].dtype == np.uint8
    assert batch["digit"].shape == (6,) and batch["digit"].dtype == np.int32
    longest = int(language.encode(list(SOURCE.captions())).mask.sum(1).max())
    for field, negatives in zip(batch["captions"], batch["negatives"]):
        assert field.shape == (6, longest) and negatives.shape == (6 * NEGATIVES_PER_CLIP, longest)
    assert np.all(batch["caption_class"][:, None] != batch["negative_classes"].reshape(6, NEGATIVES_PER_CLIP))


def test_every_row_is_an_element_of_the_source_with_its_caption(batches, language):
    rows = {element["clip"].tobytes(): element for element in SOURCE}
    for batch in itertools.islice(batches(4), 10):
        for i, clip in enumerate(batch["clip"]):
            element = rows[clip.tobytes()]
            assert element["digit"] == batch["digit"][i]
            assert element["motion"] == batch["motion"][i]
            row = [field[i : i + 1] for field in batch["captions"]]
            encoded = language.encode([element["caption"]])
            assert not encoded.mask[:, row[0].shape[1] :].any()
            assert_same([field[:, : row[0].shape[1]] for field in encoded], row)


def test_an_epoch_shows_every_clip_once_and_the_next_in_another_order(language):
    first, second = numbers(language, 12, batch_size=4).reshape(2, 24)
    assert sorted(first) == sorted(second) == list(range(24))
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, np.arange(24))


def test_the_order_depends_on_the_seed_alone(language):
    seven = numbers(language, 6, batch_size=4, seed=7)
    np.testing.assert_array_equal(seven, numbers(language, 6, batch_size=4, seed=7))
    assert not np.array_equal(seven, numbers(language, 6, batch_size=4, seed=8))


@pytest.mark.parametrize("threads", [0, 3])
def test_the_order_does_not_depend_on_the_threads(language, threads):
    np.testing.assert_array_equal(
        numbers(language, 12, batch_size=4, threads=threads), numbers(language, 12, batch_size=4)
    )


@pytest.mark.parametrize("count", [2, 4])
def test_processes_share_out_the_global_batch(language, count):
    whole = numbers(language, 9, batch_size=8)
    parts = [
        numbers(language, 9, batch_size=8, process_index=index, process_count=count) for index in range(count)
    ]
    assert all(part.shape == (9, 8 // count) for part in parts)
    np.testing.assert_array_equal(np.concatenate(parts, 1), whole)


@pytest.mark.parametrize("clips_per_caption", [1, 2])
def test_a_clip_has_the_same_negatives_whatever_the_batch(language, clips_per_caption):
    source = MovingDigits("train", 24, frames=4, size=20, digit_size=14, clips_per_caption=clips_per_caption)

    def negatives(steps, batch_size, **share):
        """Clip -> its rivals, in the first epoch."""
        batches = clip_batches(source, language, batch_size, threads=0, **share)
        return {
            clip.tobytes(): tokens.tobytes()
            for batch in itertools.islice(batches, steps)
            for clip, tokens in zip(batch["clip"], batch["negatives"].tokens.reshape(batch_size // 2, -1))
        }

    shares = [{"process_index": index, "process_count": 2} for index in range(2)]
    of_twos, of_sixes = (
        negatives(24 // size, size, **shares[0]) | negatives(24 // size, size, **shares[1])
        for size in (4, 12)
    )
    assert of_twos == of_sixes and len(of_twos) == 24


@pytest.mark.parametrize("steps", [0, 1, 7])
@pytest.mark.parametrize("threads", [0, 2])
def test_a_resumed_run_sees_the_batches_of_an_uninterrupted_one(batches, steps, threads):
    interrupted = batches(seed=3, threads=threads)
    for _ in range(steps):
        next(interrupted)
    state = json.dumps(interrupted.get_state())
    expected = list(itertools.islice(interrupted, 8))
    resumed = batches(seed=3)
    next(resumed)
    resumed.set_state(json.loads(state))
    assert_same(list(itertools.islice(resumed, 8)), expected)


def test_orbax_stores_the_position(batches, tmp_path):
    interrupted = batches()
    for _ in range(5):
        next(interrupted)
    with ocp.Checkpointer(grain.checkpoint.CheckpointHandler()) as checkpointer:
        checkpointer.save(tmp_path / "data", args=grain.checkpoint.CheckpointSave(interrupted))
        resumed = batches()
        checkpointer.restore(tmp_path / "data", args=grain.checkpoint.CheckpointRestore(resumed))
    assert_same(next(resumed), next(interrupted))


@pytest.mark.parametrize(("batch_size", "count"), [(0, 1), (-4, 1), (6, 4)])
def test_a_batch_the_processes_cannot_share_is_refused(batches, batch_size, count):
    with pytest.raises(UsageError, match=f"batch_size={batch_size}.*{count}"):
        batches(batch_size, process_index=0, process_count=count)


def test_it_runs_where_no_flags_are_parsed():
    """Grain has absl flags, which a notebook or a service never parses."""
    program = (
        "from absl import flags\n"
        "from t2v_jax.data.worlds.moving_digits import MovingDigits\n"
        "from t2v_jax.data.pipeline import clip_batches\n"
        "from t2v_jax.text.language import Language\n"
        "source = MovingDigits('test', 8, frames=2)\n"
        "batches = clip_batches(source, Language.train(source.captions()), 4)\n"
        "print(next(batches)['clip'].shape, flags.FLAGS.is_parsed())\n"
    )
    told = subprocess.check_output([sys.executable, "-c", program], text=True, timeout=120)
    assert told == "(4, 2, 64, 64, 1) False\n"
