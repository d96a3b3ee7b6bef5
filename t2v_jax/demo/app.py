"""What the page of `t2v demo` asks for: models, streams of frames, and files."""

import base64
import collections
import functools
import json
import pathlib
import threading

import numpy as np

from t2v_jax.errors import UsageError
from t2v_jax.inference import generation, metadata, model, video
from t2v_jax.inference.explanation import mean_over_heads
from t2v_jax.inference.stream import Stream
from t2v_jax.text.examples import load_examples
from t2v_jax.text.understanding import understand

PAGE = pathlib.Path(__file__).parent / "page.html"
STREAMS = 64  # remembered; of more, the one that was not asked for longest starts again
MOST_FRAMES = 64  # of a request


class DemoApp:
    """Models, and the streams that pages watch; its methods may be called from many threads.

    Each method answers one request, (media type, bytes), given what was asked, by name; UsageError for what
    cannot be answered.
    """

    def __init__(self, first: str):
        self._names = list(dict.fromkeys([first, *model.shipped()]))
        self._streams = collections.OrderedDict()
        self._lock = threading.Lock()  # compiling and painting, one request at a time
        self._params(first)  # a wrong name is reported before the page is up

    def page(self, asked):
        """The page itself."""
        return "text/html; charset=utf-8", PAGE.read_bytes()

    def models(self, asked):
        """The models' names, the first one chosen, and for each the sentences that it offers."""
        offers = [
            {"name": name, "prompts": load_examples(model.find_directory(name))} for name in self._names
        ]
        return _json(offers)

    def play(self, asked):
        """The next `frames` of a stream, which begins with its first request.

        Of each frame the pixels, base64 of uint8 [h, w, c], and the attention [actors, appearance and motion,
        tokens]; of the sentence its tokens, tags and entities, the words that the model never saw, and a line
        that says what was understood, empty where that is what was typed.
        """
        name, prompt, key, seed, frames = _take(
            asked, model=str, prompt=str, stream=str, seed=int, frames=int
        )
        if not 1 <= frames <= MOST_FRAMES:
            raise UsageError(f"frames={frames}; expected 1 to {MOST_FRAMES}")
        with self._lock:
            params = self._params(name)
            stream = self._stream(key, params, prompt, seed)
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
        """What `t2v generate` would write to a file of that `ending`."""
        name, prompt, seed, ending = _take(asked, model=str, prompt=str, seed=int, ending=str)
        with self._lock:
            clip = generation.generate(self._params(name), prompt, seed)
        made_from = metadata.made_from(prompt, seed, name, len(clip))
        data = video.encode_video(clip, ending, made_from=made_from)
        return MEDIA_TYPES.get(ending, "application/octet-stream"), data

    def _params(self, name):
        if name not in self._names:
            raise UsageError(f"no model {name!r} here; expected one of {', '.join(self._names)}")
        return _load(name)

    def _stream(self, key, params, prompt, seed):
        if key not in self._streams:
            self._streams[key] = Stream(params, prompt, seed)
        stream = self._streams[key]
        if stream.prompt != prompt:
            stream.prompt = prompt
        self._streams.move_to_end(key)
        while len(self._streams) > STREAMS:
            self._streams.popitem(last=False)
        return stream


MEDIA_TYPES = {".gif": "image/gif", ".mp4": "video/mp4", ".webp": "image/webp", ".png": "image/png"}
_load = functools.cache(model.load)


def _take(asked, **types):
    """The values of these names, each made of its type."""
    try:
        return [make(asked[name]) for name, make in types.items()]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        expected = ", ".join(f"{name} ({make.__name__})" for name, make in types.items())
        raise UsageError(f"expected {expected}") from error


def _json(value):
    return "application/json", json.dumps(value).encode()


def _sentence(language, prompt):
    """Tokens of what is understood, their tags and entities; words left out; all that differs, in a line."""
    understood = understand(language, prompt)
    parse = language.parse(understood.sentence)
    return {
        "tokens": [token.piece.lstrip("▁") for token in parse.tokens],
        "tags": parse.tags,
        "entities": parse.kinds,
        "unknown": understood.unknown,
        "understood": str(understood),
    }
