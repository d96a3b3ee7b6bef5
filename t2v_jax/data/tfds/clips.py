"""The clips of a TensorFlow Datasets builder: one with captions, or one of labelled videos as `ucf101`."""

from collections.abc import Callable

import numpy as np

from t2v_jax.data.videos.decode import ClipSpec, square
from t2v_jax.data.videos.pictures import TimedPicture
from t2v_jax.errors import UsageError
from t2v_jax.text.words import in_words


class TfdsClips:
    """The clips of a split of a data set of TFDS, by its name: a `ClipSource` (see `source`).

    The caption is the data set's text, of several texts each in turn; where it has none, the words of its
    label, "apply eye makeup" of ApplyEyeMakeup. Captions mean the same where the data set has a
    `caption_class` and it says so, else where they are equal. A video of another shape than asked for
    gives frames evenly spread over it, each the square at its centre. `directory` is TFDS's data_dir. Raises
    UsageError for a data set that cannot be had, and for one without videos or anything to make captions of.
    """

    def __init__(
        self,
        dataset: str,
        split: str,
        *,
        frames: int = 16,
        size: int = 64,
        channels: int = 3,
        directory: str | None = None,
    ):
        self._spec = ClipSpec(frames=frames, size=size, channels=channels)
        builder = _prepared(dataset, directory)
        features = builder.info.features
        self._video = _find(dataset, features, "video", _is_video)
        kinds = {_kind(feature) for feature in features.values()}
        preferred = next((kind for kind in _CAPTIONS if kind in kinds), None)
        text = _find(dataset, features, "text or label", lambda feature: _kind(feature) == preferred)
        self._clips = _open(builder, split)
        captions_of = _CAPTIONS[preferred](features[text])
        texts = _open(builder, split, without=self._video)
        examples = [texts[index] for index in range(len(texts))]
        self._rows = [
            (index, caption)
            for index, example in enumerate(examples)
            for caption in captions_of(example[text])
        ]
        if "caption_class" in features:
            self._classes = [int(examples[index]["caption_class"]) for index, _ in self._rows]
        else:
            captions = sorted({caption for _, caption in self._rows})
            places = {caption: place for place, caption in enumerate(captions)}
            self._classes = [places[caption] for _, caption in self._rows]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> dict:
        row, caption = self._rows[index]
        clip = fit(self._clips[row][self._video], self._spec)
        return {"clip": clip, "caption": caption, "caption_class": self._classes[index]}

    def captions(self) -> dict[str, int]:
        """Every distinct caption of the split, sorted, with its class."""
        pairs = ((caption, caption_class) for (_, caption), caption_class in zip(self._rows, self._classes))
        return dict(sorted(pairs))


def fit(video: np.ndarray, spec: ClipSpec) -> np.ndarray:
    """uint8 [t, h, w, c] -> [frames, size, size, channels] of the spec."""
    from PIL import Image

    if video.shape == spec.shape:
        return video
    places = np.linspace(0, len(video) - 1, spec.frames).round().astype(int)
    # Pillow knows no pictures with an axis of one channel.
    seen = video[places, ..., 0] if video.shape[-1] == 1 else video[places]
    pictures = map(Image.fromarray, seen)
    return np.stack([square(TimedPicture(0, 1, picture.copy), spec) for picture in pictures])


# What a feature of each kind is in words, a list; the kinds in the order of preference.
_CAPTIONS: dict[str, Callable] = {
    "Texts": lambda _: lambda texts: [text.decode() for text in texts],
    "Text": lambda _: lambda text: [text.decode()],
    "ClassLabel": lambda feature: lambda label: [in_words(feature.names[label])],
}


def _kind(feature) -> str:
    kind = type(feature).__name__
    return f"{_kind(feature.feature)}s" if kind == "Sequence" else kind


def _is_video(feature) -> bool:
    return len(feature.shape or ()) == 4 and feature.np_dtype == np.uint8


def _find(name, features, kind, fits) -> str:
    found = sorted(key for key, feature in features.items() if fits(feature))
    if not found:
        raise UsageError(f"the data set {name} has no {kind}; expected both a video and a text or label")
    return found[0]


def _prepared(name, directory):
    try:
        import tensorflow_datasets as tfds

        import t2v_jax.data.tfds.builders  # noqa: F401, registers the drawn worlds
    except ImportError as error:
        raise UsageError(f"data sets of TFDS need it: pip install 't2v_jax[tfds]' ({error})") from error
    try:
        builder = tfds.builder(name, data_dir=directory, try_gcs=False)
        builder.download_and_prepare(file_format="array_record")
    # What builders raise is open-ended: each reads and downloads in its own way.
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise UsageError(f"cannot prepare dataset={name}: {reason}") from error
    return builder


def _open(builder, split, without=None):
    from tensorflow_datasets import decode

    decoders = None if without is None else {without: decode.SkipDecoding()}
    try:
        return builder.as_data_source(split=split, decoders=decoders)
    except ValueError as error:  # which names the splits there are
        raise UsageError(f"cannot read {builder.name}: {error}") from error
