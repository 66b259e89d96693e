"""``datakeel resume``: end what ``suspend`` began."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

NAME = "resume"
SUMMARY = "write again what was suspended"
GROUP = "Change"
RANK = 6
EXAMPLE = "datakeel resume Workflow/daily-etl"


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_common, add_target

    parser.add_argument(
        "what", nargs="?", default="", metavar="SELECTOR", help="as it was suspended; without it, the whole target"
    )
    parser.add_argument("--all", action="store_true", help="end every suspension of the targets")
    add_target(parser)
    add_common(parser, (), selecting=False)


def run(arguments: Namespace) -> int:
    """Exit 0, or 64 when nothing of that name is suspended."""
    import sys

    from agent.cli import shared, suspending
    from agent.errors import UsageError
    from agent.report.values import counted

    options = shared.options_of(arguments)
    ended = suspending.resume(shared.config_of(arguments), options, None if arguments.all else arguments.what)
    if not ended and not arguments.all:
        what = arguments.what or "the whole target"
        raise UsageError(f"{what} is not suspended", fix="datakeel status lists what is; --all ends all of it")
    sys.stdout.write(f"resumed  {counted(ended, 'suspension')} ended; the next pass writes again\n")
    return 0
