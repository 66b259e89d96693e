"""``datakeel metrics``: a platform's own measurements of an object, as small plots or as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence
    from decimal import Decimal

    from agent.live.actions import Series

NAME = "metrics"
SUMMARY = "show a platform's own measurements of an object"
GROUP = "Look"
RANK = 5
EXAMPLE = "datakeel metrics Agent/web-1 base.cpu --period 6h"
_FORMATS = ("text", "json")
_BLOCKS = "▁▂▃▄▅▆▇█"
_WIDTH = 60


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.objects import add_object
    from agent.cli.shared import add_common

    parser.add_argument("what", metavar="Kind/name", help="the object")
    parser.add_argument("metric", nargs="?", metavar="METRIC", help="only this one of its series")
    parser.add_argument("--period", metavar="DURATION", help="how far back (default: 1h)")
    parser.add_argument("--resolution", metavar="SECONDS", help="seconds between two points (default: 60 points)")
    add_object(parser)
    add_common(parser, _FORMATS)


def run(arguments: Namespace) -> int:
    """Exit 0; 64 for a kind without metrics."""
    import sys

    from agent.cli import asking, shared
    from agent.cli.objects import object_of
    from agent.cli.output import write_outputs
    from agent.report.documents import dump_document

    outputs = shared.outputs_of(arguments, _FORMATS)
    asked = object_of(arguments)
    series = shared.run_async(
        asking.fetch_series(
            shared.config_of(arguments),
            shared.options_of(arguments),
            asked,
            arguments.metric,
            period=arguments.period,
            resolution=arguments.resolution,
        )
    )
    on_terminal = sys.stdout.isatty() and all(output.file is None for output in outputs)
    write_outputs(
        outputs,
        {
            "text": lambda: plots(series) if on_terminal else rows(series),
            "json": lambda: dump_document({"format": "datakeel.metrics/1", "series": documents(series)}),
        },
    )
    return 0


def plots(series: Sequence[Series]) -> str:
    """A line of blocks for each series, scaled between its least and its greatest value."""
    from agent.report.escape import clean

    lines = []
    for one in series:
        values = [point.value for point in one.points if point.value is not None]
        unit = next((clean(point.unit, 20) for point in one.points if point.unit), "")
        lines.append(_title(one) or "series")
        if values:
            told = [f"{word} {_shown(value)}{unit}" for word, value in _summary(values)]
            lines.append(f"  {blocks([point.value for point in one.points])}  {'  '.join(told)}")
        else:
            lines.append("  no values")
    return "".join(f"{line}\n" for line in lines) or "no series\n"


def blocks(values: Sequence[Decimal | None], width: int = _WIDTH) -> str:
    """At most ``width`` blocks; each stands for the mean of its share of the values, a blank for none."""
    from decimal import Decimal

    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    columns = min(width, len(values))
    text = ""
    for column in range(columns):
        share = values[column * len(values) // columns : (column + 1) * len(values) // columns]
        held = [value for value in share if value is not None]
        if not held:
            text += " "
            continue
        mean = sum(held, Decimal(0)) / len(held)
        text += _BLOCKS[int((mean - low) / (high - low) * (len(_BLOCKS) - 1)) if high > low else 0]
    return text


def rows(series: Sequence[Series]) -> str:
    """One point a line: time, value, unit, labels."""
    from agent.report.escape import clean
    from agent.report.values import table, utc

    lines = [["TIME", "VALUE", "UNIT", "SERIES"]]
    for one in series:
        for point in one.points:
            at = utc(point.time) if point.time is not None else "-"
            lines.append([at, _shown(point.value), clean(point.unit, 20) or "-", _title(one) or "-"])
    return "".join(f"{line}\n" for line in table(lines))


def documents(series: Sequence[Series]) -> list[dict[str, Any]]:
    """The series as JSON values."""
    from agent.report.values import utc

    return [
        {
            "labels": dict(one.labels),
            "points": [
                {
                    "time": utc(point.time) if point.time is not None else None,
                    "value": point.value,
                    "unit": point.unit or None,
                }
                for point in one.points
            ],
        }
        for one in series
    ]


def _title(one: Series) -> str:
    from agent.report.escape import clean

    return "  ".join(f"{clean(name, 60)}={clean(text, 120)}" for name, text in one.labels.items())


def _summary(values: Sequence[Decimal]) -> list[tuple[str, Decimal]]:
    return [("min", min(values)), ("max", max(values)), ("last", values[-1])]


def _shown(value: Decimal | None) -> str:
    """Six digits are enough for the eye; the JSON form has them all."""
    return "-" if value is None else format(float(value), ".6g")
