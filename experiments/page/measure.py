"""How quickly the page of `t2v demo` answers, and whether it bears twenty clients for a minute.

    python experiments/page/measure.py [--seconds=60] [--clients=20]

Needs Chromium and playwright. It starts `t2v demo`, waits until all models are compiled, acts as a visitor
in a headless browser, then as many clients at once, whose frames are compared with the server's own files.
"""

import base64
import contextlib
import io
import itertools
import json
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

import numpy as np
from absl import app, flags

SECONDS = flags.DEFINE_integer("seconds", 60, "that the clients watch, 60 at most", upper_bound=60)
CLIENTS = flags.DEFINE_integer("clients", 20, "at once", lower_bound=1)
RATE, TOGETHER = 10, 2  # frames a second that a client watches, and that it asks for at once

# Acts, and gives the milliseconds until a frame of that sentence is seen.
TIMED = """async ([act, sentence]) => {
  const begin = performance.now();
  if (act.model) document.querySelector(`#models input[value="${act.model}"]`).click();
  else {
    document.getElementById("prompt").value = sentence;
    document.getElementById("ask").requestSubmit();
  }
  const seen = () => document.querySelector("figure canvas").ariaLabel;
  while (seen() !== sentence) await new Promise(requestAnimationFrame);
  return performance.now() - begin;
}"""


@contextlib.contextmanager
def demo():
    """The address and process of `t2v demo`, in which every model is compiled."""
    command = [sys.executable, "-m", "t2v_jax.cli", "demo", "--port=0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        address = process.stdout.readline().split()[0]
        models = ask(f"{address}models")
        for model in models:
            play(address, model["name"], model["prompts"][0], "warm")
        yield address, process, models
    finally:
        process.terminate()
        process.wait()


def ask(url, **body):
    with urllib.request.urlopen(url, json.dumps(body).encode() if body else None) as answer:
        return json.load(answer)


def play(address, model, prompt, stream):
    asked = {"model": model, "prompt": prompt, "stream": stream, "seed": 0, "frames": TOGETHER}
    told = ask(f"{address}play", **asked)
    frames = [np.frombuffer(base64.b64decode(frame), np.uint8) for frame in told["frames"]]
    return [frame.reshape(told["shape"]) for frame in frames]


def visit(address, models):
    """Milliseconds until a new sentence and another model are seen, and frames a second."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(address)
        page.wait_for_selector("canvas[role=img]")
        sentences = [*itertools.islice(itertools.cycle(models[0]["prompts"]), 1, 21)]
        heard = [page.evaluate(TIMED, [{}, sentence]) for sentence in sentences]
        order = [*models[1:], models[0]] * 2
        switched = [page.evaluate(TIMED, [{"model": m["name"]}, m["prompts"][0]]) for m in order]
        page.get_by_label("Speed").fill("50")
        page.get_by_role("button", name="Record").click()
        page.wait_for_timeout(10_000)
        frames = int(re.search(r"\d+", page.locator("#record").inner_text())[0])
        browser.close()
    return {"sentence": spread(heard), "switch": spread(switched), "frames a second": frames / 10}


def spread(values):
    return {"median": round(statistics.median(values)), "slowest": round(max(values))}


def watch(address, model, name, kept):
    """One client: what it sees of a stream, at its pace, goes to `kept`."""
    begin = time.monotonic()
    for turn in range(SECONDS.value * RATE // TOGETHER):
        time.sleep(max(0, begin + turn * TOGETHER / RATE - time.monotonic()))
        kept += play(address, model["name"], model["prompts"][0], name)


def lost(address, model, kept):
    """How many frames are missing or others than those of the file that the server writes."""
    asked = {"model": model["name"], "prompt": model["prompts"][0], "seed": 0, "rate": RATE, "ending": ".npy"}
    frames = SECONDS.value * RATE
    query = urllib.parse.urlencode(asked | {"frames": frames})
    with urllib.request.urlopen(f"{address}clip?{query}") as answer:
        expected = np.load(io.BytesIO(answer.read()))
    return frames - sum(map(np.array_equal, kept, expected))


def crowd(address, process, models):
    """What CLIENTS lose, and the threads and memory of the server meanwhile."""
    watched = [*itertools.islice(itertools.cycle(models), CLIENTS.value)]
    kept = [[] for _ in watched]
    threads = [
        threading.Thread(target=watch, args=(address, model, f"client {i}", kept[i]))
        for i, model in enumerate(watched)
    ]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    used = []
    while any(thread.is_alive() for thread in threads):
        used.append(usage(process))
        time.sleep(1)
    seconds = time.monotonic() - begin
    shown, missing = sum(map(len, kept)), sum(map(lost, itertools.repeat(address), watched, kept))
    most, first, last = max(threads for threads, _ in used), used[0][1], used[-1][1]
    told = {"seconds": round(seconds), "frames": shown, "lost": missing, "most threads": most}
    return told | {"MiB at first": first, "MiB at last": last}


def usage(process):
    """The threads of a process, and its memory in MiB."""
    with open(f"/proc/{process.pid}/status") as file:
        status = {name: value for name, _, value in (line.partition(":") for line in file)}
    return int(status["Threads"]), int(status["VmRSS"].split()[0]) // 1024


def main(_):
    with demo() as (address, process, models):
        print(json.dumps(visit(address, models)), flush=True)
        print(json.dumps(crowd(address, process, models)))


if __name__ == "__main__":
    app.run(main)
