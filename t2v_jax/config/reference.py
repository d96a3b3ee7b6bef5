"""What every field of a configuration means, as text, read from the comments of `defaults.py`."""

import inspect
import io
import re
import textwrap
import tokenize

from t2v_jax import registry
from t2v_jax.config import defaults
from t2v_jax.config.checks import CHOICES, RANGES
from t2v_jax.config.fields import flat

_ASSIGNMENT = re.compile(r"\s*(\w+)\.(\w+) = ")


def field_names() -> list[str]:
    """The dotted names of all fields."""
    return [*flat(defaults.default().to_dict())]


def describe_fields() -> str:
    """A line for each field with its default, then what may be there and what it means."""
    meanings = _meanings()
    fields = flat(defaults.default().to_dict())
    return "\n".join(_entry(name, value, meanings[name]) for name, value in fields.items())


def _entry(name, value, meaning):
    text = f"{meaning} {_allowed(name)}".strip()
    indent = 6 * " "
    return f"  --config.{name}={value}\n" + textwrap.fill(
        text, 100, initial_indent=indent, subsequent_indent=indent
    )


def _allowed(name):
    if name in RANGES:
        low, high = RANGES[name]
        return f"[{low:,} to {high:,}]"
    return f"[{registry.expected(CHOICES[name])}]" if name in CHOICES else ""


def _meanings():
    """Dotted name -> the comment above a field or behind its value."""
    source = inspect.getsource(defaults)
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    meanings, above, name = {}, [], None
    for number, line in enumerate(source.splitlines(), 1):
        if found := _ASSIGNMENT.match(line):
            section = "" if found[1] == "config" else f"{found[1]}."
            name = section + found[2]
            meanings[name] = " ".join(above)
            above = []
        if number in comments and line.lstrip().startswith("#"):
            above.append(comments[number])
        elif number in comments and name:
            meanings[name] = f"{meanings[name]} {comments[number]}".strip()
        elif not line.strip():
            above = []
    return meanings
