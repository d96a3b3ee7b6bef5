"""The web page of `t2v demo`: a sentence becomes a video that plays on while the sentence changes.

The page asks for a few frames at a time and plays them; what a stream remembers between two requests stays
here. All paths are relative, so that it works behind a proxy that adds a prefix to them.
"""

import contextlib
import http.server
import json
import pathlib
import socket
import threading
import time
import urllib.parse
from collections.abc import Iterable

from t2v_jax.demo.allowed_hosts import AllowedHosts, Foreign
from t2v_jax.demo.app import DemoApp
from t2v_jax.errors import UsageError

LONGEST_REQUEST = 10_000  # bytes
MOST_CONNECTIONS = 128  # at once, each of which has a thread; more are told to come again
LONGEST_WAIT = 10  # seconds for a request to arrive, and for an answer to be taken
FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
ANSWERS = {
    ("GET", "/models"): DemoApp.models,
    ("GET", "/sample"): DemoApp.sample,
    ("GET", "/understand"): DemoApp.understand,
    ("GET", "/clip"): DemoApp.clip,
    ("POST", "/play"): DemoApp.play,
}
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:",  # nothing comes from elsewhere
    "X-Content-Type-Options": "nosniff",
}
BUSY = b"HTTP/1.0 503 Service Unavailable\r\nContent-Type: text/plain\r\n\r\ntoo many requests at once\n"


class Server(http.server.ThreadingHTTPServer):
    """The page at `address`, of models of which `first` is chosen; port 0 takes a free one.

    `host` is the address that it is served at, `allowed_names` those by which a browser may also ask for it.
    Raises UsageError for a model that is not there, and a host or port that it cannot be served at.
    """

    request_queue_size = MOST_CONNECTIONS

    def __init__(
        self, first: str | None, port: int, host: str = "127.0.0.1", allowed_names: Iterable[str] = ()
    ):
        self.app = DemoApp(first)
        self.allowed_hosts = AllowedHosts(host, allowed_names)
        self._free = threading.Semaphore(MOST_CONNECTIONS)
        self._arriving = {}  # connection -> when its request must be here
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            super().__init__((host, port), Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            place = f"port {port} of {host}"
            raise UsageError(f"cannot serve at {place}: {reason}; choose another --port or --host") from error

    @property
    def address(self) -> str:
        """What to open in a browser."""
        host = self.server_address[0]
        return f"http://{f'[{host}]' if ':' in host else host}:{self.server_port}/"

    def process_request(self, request, client_address):
        """Answer in a thread, if one is free."""
        if not self._free.acquire(blocking=False):
            with contextlib.suppress(OSError):
                request.sendall(BUSY)
            self.shutdown_request(request)
            return
        self._arriving[request] = time.monotonic() + LONGEST_WAIT
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.has_arrived(request)
            self._free.release()

    def has_arrived(self, request):
        """The whole of a request is here: its answer may take as long as it needs."""
        self._arriving.pop(request, None)

    def service_actions(self):
        """Close connections whose request does not arrive; called every half second."""
        for request, latest in list(self._arriving.items()):
            if time.monotonic() > latest:
                with contextlib.suppress(OSError):
                    request.shutdown(socket.SHUT_RDWR)


class Handler(http.server.BaseHTTPRequestHandler):
    """One request: finds its answer, or says in one line why there is none."""

    timeout = LONGEST_WAIT
    default_request_version = "HTTP/1.0"  # of a request that names none: its answer has a status all the same

    def do_GET(self):
        self._answer("GET", lambda query: dict(urllib.parse.parse_qsl(query)))

    def do_POST(self):
        self._answer("POST", lambda query: self._body())

    def _answer(self, method, read):
        try:
            self.server.allowed_hosts.check(self.headers["Host"], self.headers["Origin"])
            path, _, query = self.path.partition("?")
            asked = read(query)
            self.server.has_arrived(self.connection)
            self._send(200, *self._found(method, path, asked))
        except Foreign as error:
            self._refuse(403, error)
        except FileNotFoundError as error:
            self._refuse(404, error)
        except UsageError as error:
            self._refuse(400, error)

    def _found(self, method, path, asked):
        if method == "GET" and path in FILES:
            name, media_type = FILES[path]
            return media_type, (pathlib.Path(__file__).parent / name).read_bytes()
        if (method, path) not in ANSWERS:
            raise FileNotFoundError(f"nothing at {method} {path}")
        return ANSWERS[method, path](self.server.app, asked)

    def _body(self):
        length = self.headers.get("Content-Length", "")
        if not (length.isdecimal() and len(length) < 10 and int(length) <= LONGEST_REQUEST):
            raise UsageError(f"expected a request with a length, at most {LONGEST_REQUEST} bytes")
        try:
            return json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError) as error:
            raise UsageError(f"expected JSON: {error}") from error

    def _refuse(self, status, reason):
        self._send(status, "text/plain; charset=utf-8", f"{reason}\n".encode(errors="replace"))

    def _send(self, status, media_type, body):
        self.send_response(status)
        for name, value in {"Content-Type": media_type, "Content-Length": len(body), **HEADERS}.items():
            self.send_header(name, value)
        with contextlib.suppress(ConnectionError, TimeoutError):  # the page was closed
            self.end_headers()
            self.wfile.write(body)

    def send_error(self, code, message=None, explain=None):
        """What http.server itself refuses, as a method of another name: always the client's mistake."""
        self.close_connection = True
        self._refuse(code if code < 500 else 400, message or "bad request")

    def log_message(self, *_):
        """Says nothing: a request every few frames is no news."""
