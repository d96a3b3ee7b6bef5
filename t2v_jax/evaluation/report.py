"""The report of an evaluation as tables for the reader."""

_NAMES = {"seen": "seen combinations", "held_out": "held-out combinations"}
_COLUMNS = f"{'generated':>10}{'95 % interval':>19}{'real':>9}{'relative':>10}"


def to_text(report: dict) -> str:
    """What `evaluate.evaluate_model` found: a classifier's scores of each split, or those of a matcher."""
    return _matched(report) if "matcher" in report else _classified(report)


def _classified(report) -> str:
    """For each split its scores, those of long clips, confusions."""
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


def _matched(report) -> str:
    return "\n".join([*_matched_facts(report), "", *_matched_table(report), "", *_matched_notes(report)])


def _matched_facts(report) -> list[str]:
    size, seeds, clips = report["size"], ", ".join(map(str, report["seeds"])), report["clips"]
    return [
        f"{report['world']}, {size} x {size}, {report['frames']} frames; per seed ({seeds}) {clips} clips,",
        "as many as the real ones beside them, which training never showed, and of the same captions;",
        f"{report['matcher']['known_captions']} of these have captions that training showed.",
    ]


def _matched_table(report) -> list[str]:
    held_back, training = (report["right_caption"][split] for split in ("held_back", "training"))
    unknown = {"value": None}
    diversity, distance, nearest = (report[key] for key in ("diversity", "frechet_distance", "nearest"))
    lines = [f"{'right caption':22}{_COLUMNS}{'':8}  by seed"]
    lines += [_line("held-back captions", *held_back.values(), "{:.1%}")]
    lines += [_line("training captions", training["generated"], unknown, None, "{:.1%}"), ""]
    if diversity:
        lines += [_line("diversity", *(diversity[kind] for kind in ("generated", "real", "relative")))]
    if distance:
        lines += [_line("frechet distance", distance["generated"], distance["real"])]
    lines += [_line("nearest: nearer", nearest["nearer"], unknown, None, "{:.1%}")]
    lines += [_line("nearest: distance", nearest["ratio"], {"value": 1.0})]
    return [*lines, _line("  training captions", nearest["training_ratio"], unknown)]


def _matched_notes(report) -> list[str]:
    matcher, diversity, distance = (report[key] for key in ("matcher", "diversity", "frechet_distance"))
    captions = f"{diversity['captions']} captions" if diversity else "no caption has two held-back clips"
    halves = f"{distance['clips']} clips from {distance['clips']}" if distance else "too few clips"
    among = matcher["among"]
    return [
        f"right caption: a clip fits its own caption best, of {among} (chance {1 / among:.1%}), by a matcher",
        f"  that has learnt from {matcher['training_clips']} real clips, and never saw those beside.",
        f"diversity: mean distance of two clips of one caption, in the matcher's features ({captions}).",
        f"frechet distance: to real clips, in its features ({halves}); beside it that of other real ones.",
        "nearest: nearer to a training clip than the real clip of their caption is, 50% if as new; and their",
        "  distance, as a multiple of that of real ones, 0 if learnt by heart; the same of clips of training",
        "  captions. By pixels of small pictures.",
    ]
