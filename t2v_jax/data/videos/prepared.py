"""Clips prepared once from a folder of videos: ArrayRecord shards and a manifest.

prepared/manifest.json                     the clip spec; of each file the captions and number of clips
prepared/shards/00000/clips.array_record   the clips one after another, uint8 as they are
prepared/shards/00000/files.json           what became of the shard's files; a shard is there whole
"""

import collections
import dataclasses
import hashlib
import json
import os
import pathlib
import shutil
from collections.abc import Callable, Sequence

import numpy as np

from t2v_jax.data.source import only_element
from t2v_jax.data.videos.captions import caption_classes
from t2v_jax.data.videos.decode import ClipSpec
from t2v_jax.data.videos.decoder_pool import Decoders
from t2v_jax.data.videos.folder import SPLITS, Folder, Video
from t2v_jax.data.videos.report import Report, Used
from t2v_jax.errors import UsageError
from t2v_jax.runtime.files import local_path, new_directory, remove_parts, write_atomically
from t2v_jax.runtime.locks import LOCK, locked

FILES_A_SHARD = 256
_MANIFEST, _CLIPS, _FILES = "manifest.json", "clips.array_record", "files.json"
_VERSION, _READABLE = 2, (1, 2)  # of the manifest; 1 had a caption a file


def _nothing(*_) -> None:
    pass


def check(
    folder: Folder, spec: ClipSpec, workers: int | None = None, on_file: Callable[[], None] = _nothing
) -> Report:
    """What `prepare` would use of a folder: every file is decoded, nothing is written.

    `on_file` is called after each file.
    """
    with Decoders(spec, workers) as decoders:
        outcome = _decode(folder, folder.videos, decoders, _nothing, on_file)
    return _report(folder, spec, [outcome])


def prepare(
    folder: Folder,
    output: str | os.PathLike,
    spec: ClipSpec,
    workers: int | None = None,
    on_file: Callable[[], None] = _nothing,
) -> Report:
    """Writes the clips of a folder to the directory `output`; what an interrupted call finished is kept.

    `on_file` is called after each file. Without any usable file no manifest is written: ask the report's
    `check`. Raises UsageError where `output` cannot be written or holds other files.
    """
    output = local_path(output)
    shards = [
        folder.videos[start : start + FILES_A_SHARD] for start in range(0, len(folder.videos), FILES_A_SHARD)
    ]
    _check_output(output)
    with locked(output), Decoders(spec, workers) as decoders:
        for place in (output, output / "shards"):
            remove_parts(place)
        _forget(output / _MANIFEST)  # its shards are about to change
        outcomes = [
            _write_shard(_shard(output, number), folder, videos, decoders, on_file)
            for number, videos in enumerate(shards)
        ]
        report = _report(folder, spec, outcomes)
        if report.used:
            _write_manifest(output, report, outcomes)
    return report


def _check_output(output: pathlib.Path) -> None:
    files = {path.name for path in output.iterdir()} if output.is_dir() else set()
    if files - {LOCK} and not (output / "shards").is_dir():
        raise UsageError(f"{output} holds other files; name a new directory, or one that was prepared before")
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write {output}: {error.strerror}; choose another place") from error


def _forget(path: pathlib.Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}; choose another place") from error


def _shard(output: pathlib.Path, number: int) -> pathlib.Path:
    return output / "shards" / f"{number:05d}"


def _write_shard(
    path: pathlib.Path, folder: Folder, videos: Sequence[Video], decoders: Decoders, on_file
) -> dict:
    """Decodes some videos into the directory `path`, unless they are there; what became of the files."""
    from array_record.python.array_record_module import ArrayRecordWriter

    key = _key(folder, videos, decoders.spec)
    finished = _read_outcome(path)
    if finished.get("key") == key:
        for _ in videos:
            on_file()
        return finished
    shutil.rmtree(path, ignore_errors=True)
    with new_directory(path) as part:
        # Uncompressed: videos are noise to such compression, and reading is what has to be fast.
        writer = ArrayRecordWriter(str(part / _CLIPS), "group_size:1,uncompressed")
        outcome = {"key": key, **_decode(folder, videos, decoders, writer.write, on_file)}
        writer.close()
        write_atomically(part / _FILES, json.dumps(outcome).encode())
    return outcome


def _decode(folder: Folder, videos: Sequence[Video], decoders: Decoders, write, on_file) -> dict:
    """Hands each clip to `write`, as bytes; the files used, as `Used`, and name -> reason of the others."""
    used, left_out = [], {}
    paths = (folder.directory / video.name for video in videos)
    for video, decoded in zip(videos, decoders(paths)):
        if isinstance(decoded, str):
            left_out[video.name] = decoded
        else:
            size = decoded.width, decoded.height
            used.append(Used(*video, len(decoded.clips), *size, decoded.remark))
            for clip in decoded.clips:
                write(clip.tobytes())
        on_file()
    return {"used": used, "left_out": left_out}


def _key(folder: Folder, videos: Sequence[Video], spec: ClipSpec) -> str:
    """What a shard is a function of: the clip spec, and of each file name, captions, length and date."""
    stats = [(folder.directory / video.name).stat() for video in videos]
    files = [[*video, stat.st_size, stat.st_mtime_ns] for video, stat in zip(videos, stats)]
    facts = [_VERSION, dataclasses.asdict(spec), files]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _read_outcome(path: pathlib.Path) -> dict:
    try:
        return json.loads((path / _FILES).read_bytes())
    except (OSError, ValueError):
        return {}


def _report(folder: Folder, spec: ClipSpec, outcomes: Sequence[dict]) -> Report:
    rows = [fields for outcome in outcomes for fields in outcome["used"]]
    used = [Used(name, tuple(captions), *rest) for name, captions, *rest in rows]
    reasons = collections.ChainMap(folder.left_out, *(outcome["left_out"] for outcome in outcomes))
    return Report(folder.directory, spec, used, dict(reasons), folder.test_share)


def _write_manifest(output: pathlib.Path, report: Report, outcomes: Sequence[dict]) -> None:
    files = [
        {"name": file.name, "captions": file.captions, "clips": file.clips, "split": report.split(file)}
        for file in report.used
    ]
    manifest = {
        "version": _VERSION,
        "recipe": dataclasses.asdict(report.spec),
        "shards": len(outcomes),
        "files": files,
        "left_out": report.left_out,
    }
    write_atomically(output / _MANIFEST, json.dumps(manifest, indent=1).encode())


class PreparedClips:
    """The clips of a split of a prepared directory, each once with each caption: a `ClipSource`.

    For classes see `caption_classes`. `clips_per_caption` clips side by side have the same class; where the
    clips of a class do not come out even, its first ones come twice. `clips`: how many different ones there
    are. Raises UsageError for a directory that `prepare` did not finish, for a damaged
    one, and for a split without clips.
    """

    def __init__(self, directory: str | os.PathLike | None, split: str = "train", clips_per_caption: int = 1):
        if directory is None:
            raise UsageError("config.data.directory is empty; expected what t2v data prepare made")
        self._directory = local_path(directory)
        if split not in SPLITS:
            raise UsageError(f"no split {split!r} of a folder of clips; expected {' or '.join(SPLITS)}")
        manifest = self._manifest()
        files = [file | {"captions": _captions_of(file)} for file in manifest["files"]]
        self.shape = ClipSpec(**manifest["recipe"]).shape
        classes = caption_classes(file["captions"] for file in files)
        self._captions, self._classes = list(classes), np.array(list(classes.values()))
        self._records = self._open(manifest["shards"], sum(file["clips"] for file in files))
        clips = [file["captions"] * (file["split"] == split) for file in files for _ in range(file["clips"])]
        self.clips = sum(map(bool, clips))
        if not self.clips:
            raise UsageError(f"{directory} has no clips of the split {split!r}: prepare a larger folder")
        numbers = {caption: number for number, caption in enumerate(self._captions)}
        # All clips with their first captions, then with their second ones: those of a class that stand side
        # by side are different clips, where there are any.
        self._rows = np.array(
            [
                (record, numbers[captions[rank]])
                for rank in range(max(map(len, clips)))
                for record, captions in enumerate(clips)
                if rank < len(captions)
            ]
        )
        self.clips_per_caption = clips_per_caption
        if clips_per_caption > 1:
            self._rows = _side_by_side(self._rows, self._classes[self._rows[:, 1]], clips_per_caption)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> dict:
        return only_element(self.batch([index]))

    def batch(self, indices: Sequence[int]) -> dict:
        """The elements of n indices at once: clips [n, ...], a list of captions, classes int [n]."""
        records, numbers = self._rows[indices].T
        captions = [self._captions[number] for number in numbers]
        clips = np.empty((len(records), *self.shape), np.uint8)
        # One by one: ArrayRecord's reading of many at once takes longer where they are as large as clips.
        for clip, record in zip(clips, records.tolist()):
            clip[:] = self._read(record)
        return {"clip": clips, "caption": captions, "caption_class": self._classes[numbers]}

    def _read(self, record: int) -> np.ndarray:
        try:
            return np.frombuffer(self._records[record], np.uint8).reshape(self.shape)
        except (IndexError, OSError, RuntimeError, ValueError) as error:
            raise self._damaged(f"clip {record} cannot be read") from error

    def captions(self) -> dict[str, int]:
        """Every distinct caption of the split, sorted, with its class."""
        numbers = np.unique(self._rows[:, 1])
        return {self._captions[number]: int(self._classes[number]) for number in numbers}

    def _manifest(self) -> dict:
        path = self._directory / _MANIFEST
        try:
            manifest = json.loads(path.read_bytes())
        except OSError as error:
            raise UsageError(
                f"no prepared clips in {str(self._directory)!r} ({_MANIFEST}: {error.strerror}); "
                "make them with t2v data prepare, and name its --output as config.data.directory"
            ) from error
        except ValueError as error:
            raise self._damaged(f"{_MANIFEST} is no JSON") from error
        if not isinstance(manifest, dict) or manifest.get("version") not in _READABLE:
            raise self._damaged(f"{_MANIFEST} is of no version that is known here")
        return manifest

    def _open(self, shards: int, clips: int):
        from array_record.python.array_record_data_source import ArrayRecordDataSource

        try:
            records = ArrayRecordDataSource(
                [str(_shard(self._directory, number) / _CLIPS) for number in range(shards)]
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise self._damaged("a shard cannot be read") from error
        if len(records) != clips:
            raise self._damaged(f"its shards hold {len(records)} clips, its manifest {clips}")
        return records

    def _damaged(self, flaw: str) -> UsageError:
        return UsageError(
            f"{self._directory} is damaged: {flaw}; remove it and make it again with t2v data prepare"
        )


def _captions_of(file: dict) -> list[str]:
    return file.get("captions") or [file["caption"]]


def _side_by_side(rows, caption_classes, clips_per_caption):
    """Rows in groups of so many of one class: those of each class filled up in turn."""
    names, counts = np.unique(caption_classes, return_counts=True)
    whole = -(-counts // clips_per_caption) * clips_per_caption
    of_each = [np.resize(rows[caption_classes == name], (n, 2)) for name, n in zip(names, whole)]
    return np.concatenate(of_each)
