"""The report of an evaluation as tables for the reader."""

_NAMES = {"seen": "seen combinations", "held_out": "held-out combinations"}
_COLUMNS = f"{'generated':>10}{'95 % interval':>19}{'real':>9}{'relative':>10}"


def to_text(report: dict) -> str:
    """What `evaluate.evaluate` found: for each split its scores, those of long clips, confusions."""
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
    lines = [f"{_NAMES[split]:22}{_COLUMNS}{'classifier':>12}  by seed"]
    for name, classifier in report["classifier"].items():
        scores = (of["accuracy"][name] for of in (generated, real, relative))
        lines.append(_line(name, *scores, "{:.1%}", f"{classifier:12.1%}"))
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


def _line(name, generated, real, relative=None, form="{:.3f}", classifier=" " * 12) -> str:
    ratio = "" if relative is None else _number(relative["value"], "{:.3f}")
    value, whole = _number(generated["value"], form), _number(real["value"], form)
    seeds = " ".join(_number(value, form) for value in generated["by_seed"])
    return f"{name:22}{value:>10}{_interval(generated, form):>19}{whole:>9}{ratio:>10}{classifier}  {seeds}"


def _long_line(name, first, last) -> str:
    return f"{name:22}{first['value']:10.1%}{last['value']:10.1%}{_interval(last, '{:.1%}'):>19}"


def _interval(score, form) -> str:
    return "-" if score["low"] is None else f"{form.format(score['low'])} to {form.format(score['high'])}"


def _number(value, form) -> str:
    return "-" if value is None else form.format(value)


def _confusion(confusion) -> list[str]:
    """How often the values of the first attribute are taken for one another."""
    name, rows = next(iter(confusion.items()))
    heading = f"{name + ' seen':22}{''.join(f'{value:>6}' for value in range(len(rows)))}"
    counts = [
        f"{value} wanted".ljust(22) + "".join(f"{count or '-':>6}" for count in row[: len(rows)])
        for value, row in enumerate(rows)
    ]
    return ["", heading, *counts]


def _notes() -> list[str]:
    return [
        "classifier: how often it, trained on real clips alone, reads real held-out ones rightly.",
        "relative: generated / real.",
        "travel: how far the foreground reaches, in sides of the frame.",
        "color distance: of two frames of a clip (ACD), of 255; 0 for a frozen clip too, so see the motion.",
        "frechet distance: to as many other real clips, in the classifier's features; less with more clips.",
        "diversity: mean distance of two clips of one caption.",
    ]
