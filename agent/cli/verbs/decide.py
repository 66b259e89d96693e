"""``datakeel decide``: a person says what became of a create whose answer was lost, where nothing else can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

NAME = "decide"
SUMMARY = "say what became of a create whose answer was lost"
GROUP = "Change"
RANK = 7
EXAMPLE = "datakeel decide Annotation/deploys/release-7 --made 4711"


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_common, add_target

    parser.add_argument("what", metavar="Kind/name", help="the resource that is held")
    said = parser.add_mutually_exclusive_group(required=True)
    said.add_argument(
        "--made", nargs="?", const="", metavar="ID", help="it is there; its id, if the platform gives ids"
    )
    said.add_argument("--not-made", action="store_true", help="it is not there: it may be made again")
    add_target(parser)
    add_common(parser, (), selecting=False)


def run(arguments: Namespace) -> int:
    """Exit 0, or 64 when no such create is in doubt. The next pass heeds it, of a running agent too."""
    import sys

    from agent.cli import deciding, shared
    from agent.cli.options import Selector
    from agent.errors import UsageError
    from agent.report.escape import clean

    selector = Selector.parse(arguments.what)
    if not selector.names or selector.exclude:
        raise UsageError(f"one resource is needed, not {clean(arguments.what, 120)}", fix="write Kind/name")
    intent = deciding.decide(
        shared.config_of(arguments),
        shared.options_of(arguments),
        selector,
        made=not arguments.not_made,
        server_id=arguments.made,
    )
    outcome = "not made; the next pass may make it" if arguments.not_made else "made; the next pass reads it"
    sys.stdout.write(f"decided  {clean(intent.key.path, 200)}: {outcome}\n")
    return 0
