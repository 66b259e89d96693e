"""``datakeel logs``: a platform's own log of one resource."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from agent.cli.finding import Asked
    from agent.cli.options import LogLine

NAME = "logs"
SUMMARY = "show a platform's own log of a resource"
GROUP = "Look"
RANK = 3
EXAMPLE = "datakeel logs Workflow/daily-etl --tail 20"
_FORMATS = ("text", "jsonl")


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.objects import add_object
    from agent.cli.shared import add_common, positive

    parser.add_argument("what", metavar="Kind/name", help="the resource")
    parser.add_argument("--since", metavar="DURATION", help="only lines since then, such as 30m or 1h, where offered")
    parser.add_argument(
        "--tail", type=positive, metavar="N", help="only the last N lines; with --follow, then what comes"
    )
    parser.add_argument("--follow", action="store_true", help="go on until interrupted, or until the platform ends it")
    add_object(parser)
    add_common(parser, _FORMATS)


def run(arguments: Namespace) -> int:
    """Exit 0; 64 for a kind without logs."""
    from agent.cli import shared
    from agent.cli.objects import object_of
    from agent.errors import UsageError

    outputs = shared.outputs_of(arguments, _FORMATS)
    asked = object_of(arguments)
    if len(outputs) > 1 or outputs[0].file is not None:
        raise UsageError("logs writes to standard output only", fix="redirect it: datakeel logs … > FILE")
    shared.run_async(_show(arguments, asked, as_json=outputs[0].format == "jsonl"))
    return 0


async def _show(arguments: Namespace, asked: Asked, *, as_json: bool) -> None:
    import sys

    from agent.cli import asking, shared
    from agent.cli.output import scrubbed, tell

    options = shared.options_of(arguments)
    lines = asking.fetch_logs(
        shared.config_of(arguments),
        options,
        asked,
        since=arguments.since,
        tail=arguments.tail,
        follow=arguments.follow,
    )
    told = False
    async for line in lines:
        told = True
        sys.stdout.write(scrubbed(_json(line) if as_json else _text(line)))
        if arguments.follow:
            sys.stdout.flush()
    if not told and not arguments.follow and not arguments.quiet:
        tell("no lines")


def _text(line: LogLine) -> str:
    from agent.report.escape import clean

    words = [clean(line.time or ""), clean(line.level or "").ljust(5) if line.level else "", clean(line.source or "")]
    return "  ".join([*(word for word in words if word), clean(line.text)]) + "\n"


def _json(line: LogLine) -> str:
    from agent.report.documents import dump_document

    members: dict[str, Any] = {"time": line.time, "level": line.level, "source": line.source, "text": line.text}
    return dump_document(members, pretty=False)
