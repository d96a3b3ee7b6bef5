"""The report of an evaluation as tables for the reader."""

_NAMES = {"seen": "seen combinations", "held_out": "held-out combinations"}
_COLUMNS = f"{'generated':>10}{'95 % interval':>19}{'real':>9}{'relative':>10}"


def to_text(report: dict) -> str:
    """What `evaluate.evaluate` found: for each split its scores, those of long clips, the digits seen."""
    tables = [line for split in _NAMES for line in [*_split(report, split), ""]]
    return "\n".join([*_facts(report), "", *tables, *_notes()])


def _facts(report) -> list[str]:
    size, seeds = report["size"], ", ".join(map(str, report["seeds"]))
    clips = f"per seed ({seeds}) {report['clips']} clips of either kind,"
    return [
        f"{report['world']}, {size} x {size}, {report['frames']} frames; {clips}",
        "and as many real ones that training never showed.",
    ]


def _split(report, split) -> list[str]:
    generated, real, relative, long = (
        report[split][key] for key in ("generated", "real", "relative", "long")
    )
    frames = report["frames"]
    lines = [f"{_NAMES[split]:22}{_COLUMNS}{'judge':>8}  by seed"]
    for name, judge in report["judge"].items():
        scores = (of["accuracy"][name] for of in (generated, real, relative))
        lines.append(_line(name, *scores, "{:.1%}", f"{judge:8.1%}"))
    lines.append(_line("travel", generated["travel"], real["travel"], relative["travel"]))
    for name in ("color_distance", "frechet_distance"):
        lines.append(_line(name.replace("_", " "), generated[name], real[name]))
    for kind in generated["diversity"]:
        lines.append(
            _line(f"diversity: {kind}", *(of["diversity"][kind] for of in (generated, real, relative)))
        )
    heading = f"{long['clips']} clips of {long['frames']} frames"
    lines += ["", f"{heading:22}{f'first {frames}':>10}{f'last {frames}':>10}{'95 % interval':>19}"]
    lines += [_long_line(name, long["first"][name], last) for name, last in long["last"].items()]
    return lines + _confusion(generated["confusion"])


def _line(name, generated, real, relative=None, form="{:.3f}", judge=" " * 8) -> str:
    ratio = "" if relative is None else _number(relative["value"], "{:.3f}")
    value, whole = _number(generated["value"], form), _number(real["value"], form)
    seeds = " ".join(_number(value, form) for value in generated["by_seed"])
    return f"{name:22}{value:>10}{_interval(generated, form):>19}{whole:>9}{ratio:>10}{judge}  {seeds}"


def _long_line(name, first, last) -> str:
    return f"{name:22}{first['value']:10.1%}{last['value']:10.1%}{_interval(last, '{:.1%}'):>19}"


def _interval(score, form) -> str:
    return "-" if score["low"] is None else f"{form.format(score['low'])} to {form.format(score['high'])}"


def _number(value, form) -> str:
    return "-" if value is None else form.format(value)


def _confusion(confusion) -> list[str]:
    """How often the digits are taken for one another; nothing where there are none."""
    rows = confusion.get("digit", [])
    heading = f"{'digit seen':22}{''.join(f'{digit:>6}' for digit in range(len(rows)))}"
    counts = [
        f"{digit} wanted".ljust(22) + "".join(f"{count or '-':>6}" for count in row[: len(rows)])
        for digit, row in enumerate(rows)
    ]
    return ["", heading, *counts] if rows else []


def _notes() -> list[str]:
    return [
        "judge: how often it, trained on real clips alone, reads real held-out ones rightly.",
        "relative: generated / real.",
        "travel: how far the ink reaches, in sides of the frame.",
        "color distance: of two frames of a clip (ACD), of 255; 0 for a frozen clip too, so see the motion.",
        "frechet distance: to as many other real clips, in the judge's features; less with more clips.",
        "diversity: mean distance of two clips of one caption.",
    ]
