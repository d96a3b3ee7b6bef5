"""The server of `t2v demo`: what the page asks it for, and what it is told."""

import base64
import collections
import contextlib
import http.client
import io
import itertools
import json
import random
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import numpy as np
import pytest

import t2v_jax
from t2v_jax.demo import app as demo_app
from t2v_jax.demo import server as demo_server
from t2v_jax.demo.allowed_hosts import AllowedHosts, Foreign
from t2v_jax.inference import model, video
from t2v_jax.text import examples
from t2v_jax.text.understanding import understand

PROMPTS = "digit 3 is up and down.", "the digit 7 is moving left and right"

pytestmark = pytest.mark.filterwarnings("ignore::t2v_jax.inference.generation.UnknownWord")


@pytest.fixture
def ask(server):
    """Asks for a path, with a body or without: the media type and bytes of the answer."""

    def ask(path, body=None, **headers):
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(urllib.parse.urljoin(server.address, path), data, headers)
        with urllib.request.urlopen(request) as answer:
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


def refused(ask, *request, status=400):
    """The one line that a request is refused with."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(*request)
    with caught.value as error:
        assert error.code == status
        line = error.read().decode()
    assert line.endswith("\n") and line.count("\n") == 1
    return line


def pixels(told):
    frames = [np.frombuffer(base64.b64decode(frame), np.uint8) for frame in told["frames"]]
    return np.stack(frames).reshape(-1, *told["shape"])


def test_the_page_is_whole_and_asks_by_relative_paths(ask):
    parts = {path: ask(path) for path in ("/", "/page.css", "/page.js")}
    kinds = [media_type.partition(";")[0] for media_type, _ in parts.values()]
    assert kinds == ["text/html", "text/css", "text/javascript"]
    page = b"".join(body for _, body in parts.values())
    assert b"http://" not in page and b"https://" not in page  # nothing of it comes from elsewhere
    for path in ("page.css", "page.js", "models", "sample?", "understand?", "play", "clip?"):
        assert f'"{path}'.encode() in page or f"`{path}".encode() in page
        assert f'"/{path}'.encode() not in page and f"`/{path}".encode() not in page


def test_models_offer_sentences_that_they_know(ask, exported):
    first, *others = json.loads(ask("/models")[1])
    assert first == {"name": exported, "title": "small", "about": "", "frames": 4, "prompts": [*PROMPTS]}
    assert [other["name"] for other in others] == model.shipped()
    for other in others:
        language = t2v_jax.load(other["name"]).language
        assert other["prompts"] and not any(map(language.unknown_words, other["prompts"]))


@pytest.mark.parametrize("damaged", ["", "zebra\nquagga\n"])
def test_a_model_without_sentences_offers_words(exported, tmp_path, damaged):
    bare = shutil.copytree(exported, tmp_path / "bare")
    (bare / examples.FILE).write_text(damaged)
    first, *_ = json.loads(demo_app.DemoApp(str(bare)).models({})[1])
    assert len(first["prompts"]) == demo_app.OFFERED
    assert all(understand(t2v_jax.load(bare).language, word).sentence == word for word in first["prompts"])


def test_a_model_that_paints_nothing_is_told_in_one_line(exported, monkeypatch):
    monkeypatch.setattr(demo_app.Player, "__next__", lambda stream: 1 / 0)
    app = demo_app.DemoApp(exported)
    app.compile_all()
    with pytest.raises(t2v_jax.UsageError, match="paints no frame: ZeroDivisionError"):
        app.sample({"model": exported})


def test_each_model_has_a_sample(ask, exported):
    shipped, own = (
        ask(f"/sample?{urllib.parse.urlencode({'model': name})}") for name in ("two-digits", exported)
    )
    assert shipped == ("image/gif", (model.SHIPPED / "two-digits" / "sample.gif").read_bytes())
    assert own[0] == "image/gif" and own[1].startswith(b"GIF89a")


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


def test_another_seed_or_model_is_another_stream(play, exported):
    first, other, again = play("seeds"), play("seeds", seed=2), play("seeds")
    assert first["frames"] != other["frames"] == play("apart", seed=2)["frames"]
    alone = [play("alone, once more")["frames"] for _ in range(2)]
    assert [first["frames"], again["frames"]] == alone


def test_what_is_typed_is_understood_before_it_is_played(ask, exported):
    query = urllib.parse.urlencode({"model": exported, "prompt": "the digit three is moving up and dwn"})
    told = json.loads(ask(f"/understand?{query}")[1])
    line = "three → 3; 'dwn' is unknown and left out (known: down for 'dwn')"
    assert told == {"unknown": {"dwn": ["down"]}, "understood": line}


def test_only_so_many_streams_are_remembered(play, monkeypatch):
    monkeypatch.setattr(demo_app, "STREAMS", 2)
    first, second = (play("oldest")["frames"] for _ in range(2))
    play("newer"), play("newest")
    assert play("oldest")["frames"] == first != second


def clip_path(exported, **changes):
    query = {
        "model": exported,
        "prompt": f"0: {PROMPTS[0]}",
        "seed": 1,
        "frames": 6,
        "rate": 12,
        "ending": ".gif",
    }
    return f"/clip?{urllib.parse.urlencode(query | changes)}"


@pytest.mark.parametrize("ending", [".gif", ".png", ".npy"])
def test_a_clip_is_what_was_watched(ask, exported, ending):
    media_type, clip = ask(clip_path(exported, ending=ending))
    painted = [*itertools.islice(t2v_jax.Stream(t2v_jax.load(exported), PROMPTS[0], seed=1), 6)]
    made_from = {"prompt": PROMPTS[0], "model": "small", "seed": 1, "frames": 6}
    assert clip == video.encode_video(np.stack(painted), ending, 12, made_from)
    assert media_type == demo_app.MEDIA_TYPES.get(ending, demo_app.UNKNOWN_TYPE)


def test_a_recording_has_the_sentences_when_they_were_asked_for(ask, exported, play):
    watched = np.concatenate([pixels(play("record", prompt)) for prompt in PROMPTS])
    schedule = f"0: {PROMPTS[0]} | 3: {PROMPTS[1]}"
    _, clip = ask(clip_path(exported, prompt=schedule, ending=".npy"))
    np.testing.assert_array_equal(np.load(io.BytesIO(clip)), watched)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"ending": ".avi"}, ".gif .mp4"),
        ({"frames": demo_app.MOST_SAVED + 1}, f"1 to {demo_app.MOST_SAVED}"),
        ({"rate": "nan"}, "nan frames a second"),
        ({"prompt": "0: zebra"}, "zebra"),
        ({"prompt": "5: digit 3"}, "expected 0"),
        ({"prompt": f"0: {PROMPTS[0]} | 6: {PROMPTS[1]}"}, "frame 6"),
    ],
)
def test_a_clip_that_cannot_be_made_is_refused_in_one_line(ask, exported, change, told):
    assert told in refused(ask, clip_path(exported, **change))


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


def test_a_stream_plays_on_after_a_refusal(ask, play, exported):
    expected = [play("blur_upsample")["frames"] for _ in range(2)]
    first = play("bumpy")["frames"]
    asked = {"model": exported, "prompt": "zebra", "stream": "bumpy", "seed": 1, "frames": 3}
    refused(ask, "/play", asked)
    assert [first, play("bumpy")["frames"]] == expected


def test_nothing_else_is_served(ask):
    for path in ("/nosuch", "/../setup.cfg", "/models/"):
        assert "nothing at GET" in refused(ask, path, status=404)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "[", "Origin": "x"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
@pytest.mark.parametrize("path", ["/", "/models", "/nosuch"])
def test_other_names_are_refused_in_one_line(server, path, headers):
    connection = http.client.HTTPConnection(*server.server_address)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    line = answer.read().decode()
    assert answer.status == 403 and "--allow_host" in line and line.count("\n") == 1
    connection.close()


@pytest.mark.parametrize(
    ("host", "names", "asked", "allowed"),
    [
        ("127.0.0.1", [], "LOCALHOST:8888", True),
        ("127.0.0.1", [], "[::1]:8000", True),
        ("127.0.0.1", [], "127.0.0.1.evil.example", False),
        ("127.0.0.1", [], "192.168.1.5", False),
        ("127.0.0.1", [], None, False),
        ("box.example", [], "box.example:8000", True),
        ("0.0.0.0", [], "192.168.1.5:8000", True),
        ("::", [], "[fe80::1]", True),
        ("0.0.0.0", [], "evil.example", False),
        ("127.0.0.1", ["colab.dev"], "x-8000.prod.colab.dev", True),
        ("127.0.0.1", ["colab.dev"], "evilcolab.dev", False),
    ],
)
def test_hosts_that_are_allowed(host, names, asked, allowed):
    hosts = AllowedHosts(host, names)
    for check in (lambda: hosts.check(asked, None), lambda: hosts.check("localhost", f"https://{asked}")):
        with contextlib.nullcontext() if allowed else pytest.raises(Foreign):
            check()


def test_a_connection_that_asks_for_nothing_is_closed(server, monkeypatch):
    monkeypatch.setattr(demo_server, "LONGEST_WAIT", 0.2)
    with socket.create_connection(server.server_address, timeout=60) as idle:
        idle.sendall(b"GET / HTTP/1.1\r\n")
        assert idle.recv(1) == b""


def test_more_connections_than_threads_are_told_to_come_again(exported, monkeypatch):
    monkeypatch.setattr(demo_server, "MOST_CONNECTIONS", 1)
    with demo_server.Server(exported, 0) as server, contextlib.ExitStack() as stack:
        first, second = (
            stack.enter_context(socket.create_connection(server.server_address, timeout=60)) for _ in range(2)
        )
        server.handle_request(), server.handle_request()
        assert second.recv(100).startswith(b"HTTP/1.0 503 ")
        first.sendall(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
        assert first.recv(100).startswith(b"HTTP/1.0 200 ")


def hostile(random):
    """A request that nobody should send, as bytes."""
    host = random.choice([b"localhost", b"evil.example", b"[", b"\xff", b""])
    method = random.choice([b"GET", b"POST", b"PUT", b"HEAD", b"\x00", b"A" * 70_000])
    path = random.choice([b"/play", b"/clip?a=%ff", b"//[", b"/../../etc/passwd", b"/understand", b"*"])
    version = random.choice([b"HTTP/1.1", b"HTTP/9.9", b"HTTP/x", b""])
    length = random.choice([b"0", b"-1", b"9" * 5_000, b"12", "²".encode(), b"10000"])
    body = random.choice([b"", b"{}", b"[" * 9_000, random.randbytes(50), b'{"seed": 1e999}'])
    headers = [b"Host: " + host, b"Content-Length: " + length, b"X: " + random.randbytes(9).hex().encode()]
    headers += random.choice([[], [b"Y: " + b"y" * 70_000], [b"Z: 1"] * 200, [b"no header"]])
    return b" ".join([method, path, version]) + b"\r\n" + b"\r\n".join(headers) + b"\r\n\r\n" + body


def test_a_thousand_hostile_requests_are_the_clients_mistake(server, capfd):
    statuses = collections.Counter()
    for seed in range(1_000):
        connection = socket.create_connection(server.server_address, timeout=60)
        with connection, contextlib.suppress(OSError):  # refused before all of it was sent
            connection.sendall(hostile(random.Random(seed)))
            connection.shutdown(socket.SHUT_WR)
            statuses[connection.recv(12)[9:10]] += 1
    assert statuses.keys() <= {b"4", b""} and statuses[b"4"] > 800
    assert capfd.readouterr() == ("", "")


def test_a_port_or_host_that_cannot_be_served_at_is_told(server, exported):
    with pytest.raises(t2v_jax.UsageError, match=f"port {server.server_port}.*--port"):
        demo_server.Server(exported, server.server_port)
    with pytest.raises(t2v_jax.UsageError, match="port 99999"):
        demo_server.Server(exported, 99_999)
    with pytest.raises(t2v_jax.UsageError, match="no.such.host.*--host"):
        demo_server.Server(exported, 0, "no.such.host")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_command_serves_until_it_is_interrupted(exported, number):
    """Also in the background, where a shell has SIGINT ignored; twice; and while clients are answered."""
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
        asked = json.dumps({"model": exported, "prompt": PROMPTS[0], "stream": "a", "seed": 1, "frames": 3})
        request = f"POST /play HTTP/1.0\r\nHost: localhost\r\nContent-Length: {len(asked)}\r\n\r\n{asked}"
        place = urllib.parse.urlsplit(address)
        with contextlib.ExitStack() as clients:
            for _ in range(4):
                client = socket.create_connection((place.hostname, place.port), timeout=60)
                clients.enter_context(client).sendall(request.encode())
            process.send_signal(number)
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
