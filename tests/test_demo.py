"""The page of `t2v demo`: what it asks the server for, and what it is told."""

import base64
import itertools
import json
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

import numpy as np
import pytest

import t2v_jax
from t2v_jax.demo import app as demo_app
from t2v_jax.demo import server as demo_server
from t2v_jax.inference import video
from t2v_jax.text import examples

PROMPTS = "digit 3 is up and down.", "the digit 7 is moving left and right"

pytestmark = pytest.mark.filterwarnings("ignore::t2v_jax.inference.generation.UnknownWord")


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory):
    """A model of the user's own, which offers two sentences."""
    directory = tmp_path_factory.mktemp("models") / "small"
    t2v_jax.save(t2v_jax.load(trained), directory)
    (directory / examples.FILE).write_text("".join(f"{prompt}\n" for prompt in PROMPTS))
    return str(directory)


@pytest.fixture(scope="module")
def server(exported):
    with demo_server.Server(exported, port=0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def ask(server):
    """Asks for a path, with a body or without: the media type and bytes of the answer."""

    def ask(path, body=None):
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.parse.urljoin(server.address, path), data) as answer:
            return answer.headers["Content-Type"], answer.read()

    return ask


@pytest.fixture
def play(ask, exported):
    def play(stream, prompt=PROMPTS[0], **changes):
        asked = {"model": exported, "prompt": prompt, "stream": stream, "seed": 1, "frames": 3} | changes
        media_type, body = ask("/play", asked)
        assert media_type == "application/json"
        return json.loads(body)

    return play


def refused(ask, *request):
    """The one line that a request is refused with."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(*request)
    with caught.value as error:
        assert error.code == 400
        line = error.read().decode()
    assert line.endswith("\n") and line.count("\n") == 1
    return line


def pixels(told):
    frames = [np.frombuffer(base64.b64decode(frame), np.uint8) for frame in told["frames"]]
    return np.stack(frames).reshape(-1, *told["shape"])


def test_the_page_is_whole(ask):
    media_type, page = ask("/")
    assert media_type == "text/html; charset=utf-8" and page == demo_app.PAGE.read_bytes()
    assert b"http://" not in page and b"https://" not in page  # nothing of it comes from elsewhere
    assert all(
        f'"{path}'.encode() in page or f"`{path}".encode() in page for path in ("/play", "/models", "/clip")
    )


def test_models_offer_sentences_that_they_know(ask, exported):
    first, *others = json.loads(ask("/models")[1])
    assert first == {"name": exported, "prompts": [*PROMPTS]}
    assert [other["name"] for other in others] == [
        "animated-emoji",
        "moving-digits",
        "moving-shapes",
        "pixel-characters",
        "two-digits",
    ]
    for other in others:
        language = t2v_jax.load(other["name"]).language
        assert other["prompts"] and not any(map(language.unknown_words, other["prompts"]))


def test_frames_are_those_of_a_stream_while_the_sentence_changes(play, exported):
    stream = t2v_jax.Stream(t2v_jax.load(exported), PROMPTS[0], seed=1)
    expected = list(itertools.islice(stream, 3))
    first = play("changing")
    stream.prompt = PROMPTS[1]
    expected += list(itertools.islice(stream, 3))
    np.testing.assert_array_equal(
        np.concatenate([pixels(first), pixels(play("changing", PROMPTS[1]))]), expected
    )


def test_streams_do_not_disturb_one_another(play):
    alone = [play("alone") for _ in range(2)]
    mixed = [play(name)["frames"] for name in ("one", "two", "one", "two")]
    assert mixed == [alone[0]["frames"]] * 2 + [alone[1]["frames"]] * 2


def test_a_frame_tells_what_was_heard_of_each_word(play):
    told = play("heard")
    assert told["tokens"] == ["digit", "3", "is", "up", "and", "down"]
    assert told["tags"][1] == "CD" and told["entities"][:2] == [None, "CARDINAL"]
    attention = np.array(told["attention"])
    assert attention.shape == (3, 1, 2, 6)  # frames, actors, looks and deeds, tokens
    np.testing.assert_allclose(attention.sum(-1), 1, atol=0.01)
    assert told["unknown"] == {} and told["understood"] == ""


def test_a_word_that_the_model_never_saw_is_told(play):
    told = play("typo", "the digit 3 is moving up and dwn")
    assert told["unknown"] == {"dwn": ["down"]} and told["tokens"][-1] == "and"
    assert told["understood"] == "'dwn' is unknown and left out (known: down for 'dwn')"
    assert np.array(told["attention"]).shape[-1] == len(told["tokens"])


def test_only_so_many_streams_are_remembered(play, monkeypatch):
    monkeypatch.setattr(demo_app, "STREAMS", 2)
    first, second = (play("oldest")["frames"] for _ in range(2))
    play("newer"), play("newest")
    assert play("oldest")["frames"] == first != second


@pytest.mark.parametrize("ending", [".gif", ".png", ".npy"])
def test_a_clip_is_what_generate_writes(ask, exported, ending):
    query = {"model": exported, "prompt": PROMPTS[0], "seed": 1, "ending": ending}
    media_type, clip = ask(f"/clip?{urllib.parse.urlencode(query)}")
    painted = t2v_jax.generate(t2v_jax.load(exported), PROMPTS[0], seed=1)
    made_from = {"prompt": PROMPTS[0], "model": "small", "seed": 1, "frames": 4}
    assert clip == video.encode_video(painted, ending, made_from=made_from)
    assert media_type == demo_app.MEDIA_TYPES.get(ending, "application/octet-stream")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"prompt": ""}, "no words"),
        ({"prompt": "zebra"}, '"zebra"'),
        ({"model": "/etc"}, "no model '/etc' here"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": "x"}, "seed (int)"),
        ({"seed": float("inf")}, "seed (int)"),
        ({"prompt": "\ud800"}, "no words"),
        ({"frames": 0}, "frames=0"),
        ({"frames": demo_app.MOST_FRAMES + 1}, f"1 to {demo_app.MOST_FRAMES}"),
    ],
)
def test_what_cannot_be_played_is_refused_in_one_line(ask, exported, change, told):
    asked = {"model": exported, "prompt": PROMPTS[0], "stream": "refused", "seed": 1, "frames": 3}
    assert told in refused(ask, "/play", asked | change)


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"{}", b"\xff", 9_000 * b"[", b" " * (demo_server.LONGEST_REQUEST + 1)]
)
def test_what_is_no_request_is_refused_in_one_line(ask, body):
    assert "expected" in refused(ask, "/play", body)


def test_a_clip_of_no_known_ending_is_refused(ask, exported):
    query = {"model": exported, "prompt": PROMPTS[0], "seed": 1, "ending": ".avi"}
    assert ".gif .mp4" in refused(ask, f"/clip?{urllib.parse.urlencode(query)}")


def test_a_stream_plays_on_after_a_refusal(ask, play, exported):
    expected = [play("blur_upsample")["frames"] for _ in range(2)]
    first = play("bumpy")["frames"]
    asked = {"model": exported, "prompt": "zebra", "stream": "bumpy", "seed": 1, "frames": 3}
    refused(ask, "/play", asked)
    assert [first, play("bumpy")["frames"]] == expected


def test_nothing_else_is_served(ask):
    for path in ("/nosuch", "/../setup.cfg", "/models/"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            ask(path)
        with caught.value as error:
            assert error.code == 404


def test_a_taken_port_is_told(server, exported):
    with pytest.raises(t2v_jax.UsageError, match=f"port {server.server_port}.*--port"):
        demo_server.Server(exported, server.server_port)
    with pytest.raises(t2v_jax.UsageError, match="port 99999"):
        demo_server.Server(exported, 99_999)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_command_serves_until_it_is_interrupted(exported, number):
    """Also where it is started in the background, by a shell that has SIGINT ignored."""
    command = [sys.executable, "-m", "t2v_jax.cli", "demo", f"--model={exported}", "--port=0"]
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, handler)
    try:
        address, _, hint = process.stdout.readline().partition(" ")
        with urllib.request.urlopen(address, timeout=60) as answer:
            assert answer.status == 200
        process.send_signal(number)
        assert process.communicate(timeout=60) == ("", "") and process.returncode == 0
    finally:
        process.kill()
    assert hint == "(Ctrl-C ends it)\n"


def test_the_command_refuses_a_model_that_is_not_there():
    command = [sys.executable, "-m", "t2v_jax.cli", "demo", "--model=nosuch", "--port=0"]
    told = subprocess.run(command, capture_output=True, text=True)
    assert told.returncode == 2 and told.stderr.startswith("t2v: no model 'nosuch'")
    assert told.stdout == "" and told.stderr.count("\n") == 1
