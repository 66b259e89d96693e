"""``datakeel suspend``: stop writing, keep looking; for a target, a kind, or one resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

NAME = "suspend"
SUMMARY = "stop writing some resources or a whole target for a while, and go on looking"
GROUP = "Change"
RANK = 5
EXAMPLE = 'datakeel suspend Workflow/daily-etl --reason "backfill by ann" --until 2h'


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_common, add_target

    parser.add_argument(
        "what", nargs="?", default="", metavar="SELECTOR", help="Kind, Kind/name or path:GLOB; without it, everything"
    )
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why, for whoever meets it")
    parser.add_argument("--until", metavar="DURATION", help="30m, 2h, 7d from now; without it, until `resume`")
    add_target(parser)
    add_common(parser, (), selecting=False)


def run(arguments: Namespace) -> int:
    """Exit 0 once it is in the store; an agent that runs on it heeds it from its next pass on."""
    import sys

    from agent.cli import shared, suspending
    from agent.report.escape import clean
    from agent.report.values import moment

    made = suspending.suspend(
        shared.config_of(arguments),
        shared.options_of(arguments),
        arguments.what,
        arguments.reason,
        arguments.until,
    )
    for each in made:
        what = clean(each.what if not each.selector else f"{each.selector} of {each.target}", 200)
        until = "until it is resumed" if each.until is None else f"until {moment(each.until, None)}"
        sys.stdout.write(f"suspended  {what}, {until}; diff still shows its changes\n")
    words = f"datakeel resume {arguments.what}".rstrip()
    sys.stdout.write(f"next       {clean(words, 200)} ends it\n")
    return 0
