"""A small model of the user's own, and the server of its page."""

import contextlib
import threading

import pytest

import t2v_jax
from t2v_jax.demo.server import Server
from t2v_jax.text import examples

PROMPTS = "digit 3 is up and down.", "the digit 7 is moving left and right"


@pytest.fixture(scope="session")
def exported(trained, tmp_path_factory):
    """A model of the user's own, which offers two sentences."""
    directory = tmp_path_factory.mktemp("models") / "small"
    t2v_jax.save(t2v_jax.load(trained), directory)
    (directory / examples.FILE).write_text("".join(f"{prompt}\n" for prompt in PROMPTS))
    return str(directory)


@contextlib.contextmanager
def serving(model):
    """A server that answers meanwhile, from a thread."""
    with Server(model, port=0) as server:
        server.daemon_threads = False  # to close waits for what still compiles: nothing may end meanwhile
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def server(exported):
    with serving(exported) as server:
        yield server
