"""What the page of `t2v demo` asks for: models, streams of frames, and files."""

import base64
import collections
import contextlib
import functools
import json
import pathlib
import threading

import numpy as np

from t2v_jax.demo.player import Player
from t2v_jax.errors import UsageError, describe
from t2v_jax.inference import card, metadata, model, video
from t2v_jax.inference.explanation import mean_over_heads
from t2v_jax.inference.schedule import paint_schedule, parse_schedule
from t2v_jax.text.understanding import understand

STREAMS = 256  # remembered; of more, the one that was not asked for longest starts again
MOST_FRAMES = 64  # of a request
MOST_SAVED = 600  # frames of a file
SAMPLE = "sample.gif"
OFFERED = 8  # words, by a model that has no example sentences


class DemoApp:
    """Models, and the streams that pages watch; its methods may be called from many threads.

    Each method answers one request, (media type, bytes), given what was asked, by name; UsageError for what
    cannot be answered.
    """

    def __init__(self, first: str | None = None):
        shipped = model.shipped()
        self._names = list(dict.fromkeys([first or shipped[0], *shipped]))
        self._streams = collections.OrderedDict()
        self._painting = threading.Lock()  # one request at a time
        self._saving = threading.Lock()  # one file at a time, for those take most memory
        self._compiling = {name: threading.Lock() for name in self._names}
        self._compiled = set()
        _load(self._names[0])  # a wrong name is reported before the page is up

    def compile_all(self):
        """Compile what each model needs to play, the first one first: for a thread of its own."""
        for name in self._names:
            with contextlib.suppress(UsageError):  # who asks for that model is shown it
                self._ready(name)

    def models(self, asked):
        """For each model, the first one chosen: its name, title, what it is, frames of a clip, sentences."""
        return _json([_description(name) for name in self._names])

    def sample(self, asked):
        """A clip of a model, a GIF: the one that comes with it, or its first sentence."""
        (name,) = _take(asked, model=str)
        self._check(name)
        shipped = model.find_directory(name) / SAMPLE
        if shipped.is_file():
            return MEDIA_TYPES[".gif"], shipped.read_bytes()
        params = self._ready(name)
        prompt, frames = _prompts(name)[0], params.config.data.frames
        clip = paint_schedule(Player(params, prompt), {0: prompt}, frames)
        return MEDIA_TYPES[".gif"], video.encode_video(clip, ".gif")

    def understand(self, asked):
        """What a model would read of a sentence: words that it never saw, and all that differs in a line."""
        name, prompt = _take(asked, model=str, prompt=str)
        self._check(name)
        return _json(_understood(understand(_definition(name)[1], prompt)))

    def play(self, asked):
        """The next `frames` of a stream, which begins with the first request that names this model and seed.

        Of each frame the pixels, base64 of uint8 [h, w, c], and the attention [actors, appearance and motion,
        tokens]; of the sentence its tokens, tags and entities, the words that the model never saw, and a line
        that says what was understood, empty where that is what was typed.
        """
        name, prompt, key, seed, frames = _take(
            asked, model=str, prompt=str, stream=str, seed=int, frames=int
        )
        if not 1 <= frames <= MOST_FRAMES:
            raise UsageError(f"frames={frames}; expected 1 to {MOST_FRAMES}")
        params = self._ready(name)
        with self._painting:
            stream = self._stream((key, name, seed), params, prompt)
            shown = [(np.asarray(next(stream)), stream.attention) for _ in range(frames)]
        sentence = _sentence(params.language, prompt)
        tokens = len(sentence["tokens"])
        return _json(
            {
                "shape": shown[0][0].shape,
                "frames": [base64.b64encode(frame.tobytes()).decode() for frame, _ in shown],
                "attention": [
                    mean_over_heads(attention)[..., :tokens].round(3).tolist()
                    for _, attention in shown
                    if attention is not None
                ],
                **sentence,
            }
        )

    def clip(self, asked):
        """A file of that `ending` with the first `frames` of a stream, `rate` a second.

        The prompt may be a schedule of what was asked for when, as `t2v generate` takes it.
        """
        name, prompt, seed, frames, rate, ending = _take(
            asked, model=str, prompt=str, seed=int, frames=int, rate=float, ending=str
        )
        if not 1 <= frames <= MOST_SAVED:
            raise UsageError(f"frames={frames}; expected 1 to {MOST_SAVED}")
        schedule = parse_schedule(prompt)
        sentences = prompt if len(schedule) > 1 else schedule[0]
        made_from = metadata.made_from(sentences, seed, name, frames)
        with self._saving:
            clip = paint_schedule(Player(self._ready(name), schedule[0], seed), schedule, frames)
            file = video.encode_video(clip, ending, rate, made_from)
        return MEDIA_TYPES.get(ending, UNKNOWN_TYPE), file

    def _check(self, name):
        if name not in self._names:
            raise UsageError(f"no model {name!r} here; expected one of {', '.join(self._names)}")

    def _ready(self, name):
        """The model, whose two programs, for a first frame and for later ones, are compiled."""
        self._check(name)
        with self._compiling[name]:
            params = _load(name)
            if name not in self._compiled:
                _compile(params, name)
                self._compiled.add(name)
        return params

    def _stream(self, key, params, prompt):
        if key not in self._streams:
            self._streams[key] = Player(params, prompt, key[-1])
        stream = self._streams[key]
        if stream.prompt != prompt:
            stream.prompt = prompt
        self._streams.move_to_end(key)
        while len(self._streams) > STREAMS:
            self._streams.popitem(last=False)
        return stream


MEDIA_TYPES = {".gif": "image/gif", ".mp4": "video/mp4", ".webp": "image/webp", ".png": "image/png"}
UNKNOWN_TYPE = "application/octet-stream"
_load = functools.cache(model.load)


@functools.cache
def _definition(name):
    return model.load_definition(model.find_directory(name))


@functools.cache
def _prompts(name):
    """Examples that a model understands; where it has none, some of its words, which are sentences too."""
    language = _definition(name)[1]
    return [text for text in language.examples if _is_understood(language, text)] or language.words[:OFFERED]


def _is_understood(language, prompt):
    try:
        return bool(understand(language, prompt))
    except UsageError:
        return False


def _compile(params, name):
    stream = Player(params, _prompts(name)[0])
    try:
        next(stream), next(stream)
    # A network of the user's own may raise anything.
    except Exception as error:
        raise UsageError(f"{name} paints no frame: {describe(error)}") from error


def _description(name):
    config, _ = _definition(name)
    return {
        "name": name,
        "title": pathlib.Path(name).resolve().name,
        "about": card.summary(model.find_directory(name)),
        "frames": config.data.frames,
        "prompts": _prompts(name),
    }


def _take(asked, **types):
    """The values of these names, each made of its type."""
    try:
        return [make(asked[name]) for name, make in types.items()]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        expected = ", ".join(f"{name} ({make.__name__})" for name, make in types.items())
        raise UsageError(f"expected {expected}") from error


def _json(value):
    return "application/json", json.dumps(value).encode()


def _understood(understood):
    return {"unknown": understood.unknown, "understood": str(understood)}


def _sentence(language, prompt):
    """Tokens of what is understood, their tags and entities; words left out; all that differs, in a line."""
    understood = understand(language, prompt)
    parse = language.parse(understood.sentence)
    return {
        "tokens": [token.piece.lstrip("▁") for token in parse.tokens],
        "tags": parse.tags,
        "entities": parse.kinds,
        **_understood(understood),
    }
