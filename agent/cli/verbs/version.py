"""``datakeel version``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

NAME = "version"
SUMMARY = "print the version"
GROUP = "More"
RANK = 2
EXAMPLE = "datakeel version -o json"
_FORMATS = ("text", "json")


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("-o", "--output", action="append", default=[], metavar="FORMAT", help="text, json")


def run(arguments: Namespace) -> int:
    """Exit 0."""
    from agent import __version__
    from agent.cli.output import parse_outputs, write_outputs

    def as_json() -> str:
        import platform

        from agent.report.documents import dump_document

        return dump_document({"datakeel": __version__, "python": platform.python_version()})

    outputs = parse_outputs(arguments.output, _FORMATS)
    write_outputs(outputs, {"text": lambda: f"datakeel {__version__}\n", "json": as_json})
    return 0
