"""Random prompts: each is painted or refused in one line, compiles nothing anew, and is understood at once.

python experiments/survival/prompts.py --number=10000

Timed is all that comes before painting: what a prompt is understood as, and its arrays. Of each batch of
64 one prompt is painted, where one can be.
"""

import argparse
import collections
import gc
import random
import time
import unicodedata
import warnings

import commands  # noqa: F401, sets how programs are compiled
import jax

from t2v_jax.errors import UsageError
from t2v_jax.inference import generation, model

LIMIT, PAINTED = 0.05, 64  # seconds before painting; prompts, one of which is painted
LETTERS = [chr(code) for code in range(0x30000) if unicodedata.category(chr(code))[0] != "C"]
CONTROLS = [*map(chr, range(32)), "\u200d", "\u202e", "\ufeff", "\ud800", "\U0010ffff"]


def known(words, rng):
    return " ".join(rng.choices(words, k=rng.randint(1, 40)))


def misspelt(words, rng):
    return "".join(rng.choice(LETTERS[:500]) if rng.random() < 0.1 else char for char in known(words, rng))


def letters(words, rng):
    return "".join(rng.choices(LETTERS, k=rng.randint(0, 1000)))


def controls(words, rng):
    return "".join(rng.choices([*known(words, rng), *CONTROLS], k=rng.randint(0, 200)))


def repeated(words, rng):
    """One word, number, name or sign as often as there is room for it."""
    signs = [
        "a ",
        "5 ",
        "New York ",
        "IBM ",
        "Mr. ",
        '"',
        "(",
        "'s ",
        ". ",
        "- ",
        "\ufdfa",
        "the ",
        "NASA of ",
    ]
    sign = rng.choice([*signs, rng.choice(words) + " "])
    return (sign * 1000)[: rng.randint(1, 1000)] + rng.choice(["", f" {rng.choice(words)}"])


def numbers(words, rng):
    return f"{rng.choice(words)} {rng.choice([0, -1, 10**300, 1e999, 2**64])} {rng.random()}"


def no_text(words, rng):
    return rng.choice([None, 5, 1.5, b"digit 3", ["digit 3"], {}, float("nan")])


KINDS = [known, known, misspelt, letters, controls, repeated, numbers, no_text]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--number", type=int, default=10_000)
    parser.add_argument("--model", default="moving-digits")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # what is understood otherwise
    params = model.load(options.model)
    words = [*params.language.words]
    jax.block_until_ready(generation.generate(params, params.language.examples[0], frames=1))
    gc.freeze()  # as the commands do
    compiled = generation._paint.alone._cache_size()
    counts, slow, slowest = collections.Counter(), [], 0.0
    for index in range(options.number):
        rng = random.Random(index)
        prompt = rng.choice(KINDS)(words, rng)
        began = time.process_time()
        try:
            generation.encode(params.language, [prompt])
            counts["understood"] += 1
        except UsageError as error:
            counts["told in lines" if "\n" in str(error) else "refused"] += 1
        seconds = time.process_time() - began
        slowest = max(slowest, seconds)
        if seconds > LIMIT:
            slow.append(index)
            print(index, f"{1000 * seconds:.0f} ms", ascii(prompt)[:100])
        if index % PAINTED == 0:
            try:
                jax.block_until_ready(generation.generate(params, prompt, seed=index, frames=1))
                counts["painted"] += 1
            except UsageError:
                pass
    anew = generation._paint.alone._cache_size() - compiled
    print(f"{dict(counts)}; {len(slow)} slow, slowest {1000 * slowest:.0f} ms; {anew} programs compiled anew")


if __name__ == "__main__":
    main()
