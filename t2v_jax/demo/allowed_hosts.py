"""Which names the page answers to: others reach it by a browser that was lured there (DNS rebinding)."""

import ipaddress
import urllib.parse
from collections.abc import Iterable

from t2v_jax.errors import UsageError

LOOPBACK = "localhost", "127.0.0.1", "::1"
EVERYWHERE = "0.0.0.0", "::"  # served at all addresses of the machine


class Foreign(UsageError):
    """A request with a Host or Origin that the page does not answer to."""


class AllowedHosts:
    """The names of loopback, the `host` that is served at, and `names` with all that ends in them.

    Where `host` is every address of the machine, all addresses are allowed, but no name: a page from
    elsewhere can only point a name of its own at this machine.
    """

    def __init__(self, host: str, names: Iterable[str] = ()):
        self._hosts = {*LOOPBACK, host.lower()}
        self._names = [name.lower().strip(".") for name in names]
        self._any_address = host in EVERYWHERE

    def check(self, host: str | None, origin: str | None) -> None:
        """Raises Foreign unless a request's Host and, if it has one, its Origin are allowed, at any port."""
        self._check("Host", host, f"//{host or ''}")
        if origin is not None:
            self._check("Origin", origin, origin)

    def _check(self, header, value, url):
        name = _host_name(url)
        if not self._allows(name):
            raise Foreign(f"{header} {value!r} is not allowed here; start t2v demo with --allow_host=NAME")

    def _allows(self, name):
        if name in self._hosts or (self._any_address and _is_address(name)):
            return True
        return any(f".{name}".endswith(f".{allowed}") for allowed in self._names)


def _host_name(url):
    """The host of a URL in lower case, empty where it has none."""
    try:
        return urllib.parse.urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_address(name):
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
