"""``datakeel query``: a read that a platform offers beside its kinds. Changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

NAME = "query"
SUMMARY = "ask a platform one of the questions that its definition names"
GROUP = "Look"
RANK = 6
EXAMPLE = "datakeel query ls --arg source=s3://bucket/"
_FORMATS = ("text", "json")


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_common

    parser.add_argument("name", metavar="NAME", help="the query")
    parser.add_argument(
        "--arg", action="append", default=[], metavar="NAME=VALUE", help="an argument of the query; repeatable"
    )
    add_common(parser, _FORMATS)


def run(arguments: Namespace) -> int:
    """Exit 0, or 1 when the platform does not answer it."""
    from agent.cli import asking, shared
    from agent.cli.objects import shown
    from agent.cli.output import write_outputs
    from agent.report.documents import dump_document

    outputs = shared.outputs_of(arguments, _FORMATS)
    found = shared.run_async(
        asking.run_query(shared.config_of(arguments), shared.options_of(arguments), arguments.name, arguments.arg)
    )
    document = {"format": "datakeel.query/1", "query": arguments.name, "result": found}
    write_outputs(outputs, {"text": lambda: shown(found), "json": lambda: dump_document(document)})
    return 0
