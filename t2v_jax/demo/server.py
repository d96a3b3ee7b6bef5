"""The web page of `t2v demo`: a sentence becomes a video that plays on while the sentence changes.

The page asks for a few frames at a time and plays them; what a stream remembers between two requests stays
here. Served to this machine alone.
"""

import contextlib
import http.server
import json
import urllib.parse

from t2v_jax.demo.app import DemoApp
from t2v_jax.errors import UsageError

LONGEST_REQUEST = 10_000  # bytes
ANSWERS = {
    ("GET", "/"): DemoApp.page,
    ("GET", "/models"): DemoApp.models,
    ("GET", "/clip"): DemoApp.clip,
    ("POST", "/play"): DemoApp.play,
}


class Server(http.server.ThreadingHTTPServer):
    """The page at `address`, of models of which `first` is chosen; port 0 takes a free one.

    Raises UsageError for a model that is not there and a port that is taken or out of range.
    """

    def __init__(self, first: str, port: int):
        self.app = DemoApp(first)
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
            self._send(200, *ANSWERS[method, path](self.server.app, read()))
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
