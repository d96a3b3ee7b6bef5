"""The error that a user can fix: one line with what was wrong, what was expected and what to do."""

import contextlib
import difflib
import os
import pathlib
import traceback
from collections.abc import Iterable

_PACKAGE = f"{pathlib.Path(__file__).parent}{os.sep}"


class UsageError(ValueError):
    """Bad input from outside: a prompt, flag, config value, file or checkpoint. Its text is one line."""


@contextlib.contextmanager
def naming(*fields: str):
    """A block whose UsageErrors come from these fields of the configuration, and say so."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{' and '.join(f'config.{field}' for field in fields)}: {error}") from error


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The known word most like another one, for a message: " (did you mean 'x'?)", empty where none is."""
    near = difflib.get_close_matches(word, [*known], 1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def printable(text: str) -> str:
    """A text without what would steer a terminal: other characters than printable ones as escapes."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def describe(error: Exception) -> str:
    """An exception raised by the user's own code, in one line: its type, its text, and the line of theirs."""
    text = " ".join(str(error).split())[:300]
    frames = traceback.extract_tb(error.__traceback__)
    places = [f" ({frame.filename}, line {frame.lineno})" for frame in frames if _is_theirs(frame.filename)]
    return f"{type(error).__name__}: {text}{''.join(places[-1:])}"


def _is_theirs(filename):
    outside = _PACKAGE, "<"  # frozen modules have names as <frozen importlib>
    return not filename.startswith(outside) and "-packages" not in filename and "/lib/python" not in filename
