"""Curves as inline SVG, in the colours of the page that they stand on."""

import html
import math
from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 480, 200
LEFT, RIGHT, TOP, BOTTOM = 52, 10, 8, 24  # margins, for the labels of the axes
MOST_POINTS = 400  # of a line; more cannot be told apart

Points = Sequence[tuple[int, float]]  # steps and values


def curves(title: str, note: str, lines: Mapping[str, Points]) -> str:
    """A figure of lines over the same steps, with the last value of each; empty where no line has a point."""
    lines = {name: points for name, points in lines.items() if points}
    if not lines:
        return ""
    keys = [
        f'<span class="key line{i}">{html.escape(name)} <b>{points[-1][1]:.4g}</b></span>'
        for i, (name, points) in enumerate(lines.items())
    ]
    caption = f"<figcaption><h3>{html.escape(title)}</h3><p>{html.escape(note)}</p><p>{' '.join(keys)}</p>"
    return f"<figure>{caption}</figcaption>{_drawing(title, lines)}</figure>"


def _drawing(title, lines):
    steps, values = zip(*(point for points in lines.values() for point in points))
    x, y = _scale(steps, LEFT, WIDTH - RIGHT), _scale(values, HEIGHT - BOTTOM, TOP)
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(title)} by step">']
    for value in _ticks(min(values), max(values)):
        parts.append(f'<path d="M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g}</text>')
    for step in _ticks(min(steps), max(steps)):
        parts.append(f'<text x="{x(step):.1f}" y="{HEIGHT - 6}" text-anchor="middle">{step:,.6g}</text>')
    for i, points in enumerate(lines.values()):
        drawn = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in _thinned(points))
        parts.append(f'<polyline class="line{i}" points="{drawn}"/>')
    return "".join([*parts, "</svg>"])


def _scale(values, start, end):
    """From values to places between start and end; in the middle where all are the same."""
    low, high = min(values), max(values)
    if low == high:
        return lambda value: (start + end) / 2
    return lambda value: start + (end - start) * (value - low) / (high - low)


def _ticks(low, high):
    """Round numbers from low to high, at most five but for rounding."""
    if low == high:
        return [low]
    power = 10 ** math.floor(math.log10((high - low) / 4))
    unit = next(power * factor for factor in (1, 2, 5, 10) if (high - low) / (power * factor) <= 5)
    return [unit * i for i in range(math.ceil(low / unit), math.floor(high / unit) + 1)]


def _thinned(points):
    """At most MOST_POINTS, the last among them, which has the newest value; a lone one twice, as a dot."""
    stride = -(-len(points) // MOST_POINTS)
    return points[::-1][::stride][::-1] if len(points) > 1 else [*points, *points]
