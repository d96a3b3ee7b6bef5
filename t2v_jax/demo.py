"""The web page of `t2v demo`: a sentence becomes a video that plays on while the sentence changes.

The page asks for a few frames at a time and plays them; what a stream remembers between two requests stays
here. Served to this machine alone.
"""

import base64
import collections
import contextlib
import functools
import http.server
import json
import pathlib
import threading
import urllib.parse

import numpy as np

from t2v_jax import model, sampling, video
from t2v_jax.errors import UsageError

PAGE = pathlib.Path(__file__).parent / "assets" / "demo.html"
PROMPTS = "prompts.txt"  # of a model's directory: sentences that the page offers, one a line
STREAMS = 64  # remembered; of more, the one that was not asked for longest starts anew
LONGEST_REQUEST = 10_000  # bytes
MOST_FRAMES = 64  # of a request


class Studio:
    """Models, and the streams that pages watch; its methods may be called from many threads.

    Each method answers one request, (media type, bytes), given what was asked, by name; UsageError for what
    cannot be answered.
    """

    def __init__(self, first: str):
        self._names = list(dict.fromkeys([first, *model.shipped()]))
        self._streams = collections.OrderedDict()
        self._lock = threading.Lock()  # compiling and painting, one request at a time
        self._params(first)  # a wrong name is told before the page is up

    def page(self, asked):
        """The page itself."""
        return "text/html; charset=utf-8", PAGE.read_bytes()

    def models(self, asked):
        """The models' names, the first one chosen, and for each the sentences that it offers."""
        offers = [{"name": name, "prompts": _prompts(model.find_directory(name))} for name in self._names]
        return _json(offers)

    def play(self, asked):
        """The next `frames` of a stream, which begins with its first request.

        Of each frame the pixels, base64 of uint8 [h, w, c], and the attention [actors, looks and deeds,
        tokens]; of the sentence its tokens, tags and entities, and the words that the model never saw.
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
                "attention": [_heard(attention)[..., :tokens].tolist() for _, attention in shown],
                **sentence,
            }
        )

    def clip(self, asked):
        """What `t2v generate` would write to a file of that `ending`."""
        name, prompt, seed, ending = _take(asked, model=str, prompt=str, seed=int, ending=str)
        with self._lock:
            clip = sampling.generate(self._params(name), prompt, seed)
        return MEDIA_TYPES.get(ending, "application/octet-stream"), video.encode_video(clip, ending)

    def _params(self, name):
        if name not in self._names:
            raise UsageError(f"no model {name!r} here; expected one of {', '.join(self._names)}")
        return _load(name)

    def _stream(self, key, params, prompt, seed):
        if key not in self._streams:
            self._streams[key] = sampling.Stream(params, prompt, seed)
        stream = self._streams[key]
        if stream.prompt != prompt:
            stream.prompt = prompt
        self._streams.move_to_end(key)
        while len(self._streams) > STREAMS:
            self._streams.popitem(last=False)
        return stream


MEDIA_TYPES = {".gif": "image/gif", ".mp4": "video/mp4", ".webp": "image/webp", ".png": "image/png"}
ANSWERS = {
    ("GET", "/"): Studio.page,
    ("GET", "/models"): Studio.models,
    ("GET", "/clip"): Studio.clip,
    ("POST", "/play"): Studio.play,
}
_load = functools.cache(model.load)


class Server(http.server.ThreadingHTTPServer):
    """The page at `address`, of models of which `first` is chosen; port 0 takes a free one.

    Raises UsageError for a model that is not there and a port that is taken or out of range.
    """

    def __init__(self, first: str, port: int):
        self.studio = Studio(first)
        try:
            super().__init__(("127.0.0.1", port), Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UsageError(f"cannot serve at port {port}: {reason}; choose another with --port") from error

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(http.server.BaseHTTPRequestHandler):
    """One request: finds its answer, or says in one line why there is none."""

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        self._answer("GET", url.path, lambda: dict(urllib.parse.parse_qsl(url.query)))

    def do_POST(self):
        self._answer("POST", self.path, self._body)

    def _answer(self, method, path, read):
        if (method, path) not in ANSWERS:
            return self._send(404, "text/plain", f"nothing at {method} {path}\n".encode())
        try:
            self._send(200, *ANSWERS[method, path](self.server.studio, read()))
        except UsageError as error:
            self._send(400, "text/plain; charset=utf-8", f"{error}\n".encode())

    def _body(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LONGEST_REQUEST:
            raise UsageError(f"expected a request with a length, at most {LONGEST_REQUEST} bytes")
        try:
            return json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError) as error:
            raise UsageError(f"expected JSON: {error}") from error

    def _send(self, status, media_type, body):
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        with contextlib.suppress(ConnectionError):  # the page was closed
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_):
        """Says nothing: a request every few frames is no news."""


def _take(asked, **types):
    """The values of these names, each made of its type."""
    try:
        return [make(asked[name]) for name, make in types.items()]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        expected = ", ".join(f"{name} ({make.__name__})" for name, make in types.items())
        raise UsageError(f"expected {expected}") from error


def _json(value):
    return "application/json", json.dumps(value).encode()


def _prompts(directory):
    file = directory / PROMPTS
    return file.read_text(encoding="utf-8").splitlines() if file.is_file() else []


def _sentence(language, prompt):
    """Tokens, their tags and kinds of entity; unknown words, each with known ones like it."""
    parse = language.parse(prompt)
    return {
        "tokens": [token.piece.lstrip("▁") for token in parse.tokens],
        "tags": parse.tags,
        "entities": parse.kinds,
        "unknown": language.unknown_words(prompt),
    }


def _heard(attention):
    """Weights [actors, 2 * heads, tokens] -> means over the heads [actors, looks and deeds, tokens]."""
    actors, _, tokens = attention.shape
    return np.asarray(attention, float).reshape(actors, 2, -1, tokens).mean(2).round(3)
