"""``datakeel demo``: sandbox, repository and agent in a temporary folder, and what happens, in a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

NAME = "demo"
SUMMARY = "see the whole loop in a minute, on all platforms, without an account"
GROUP = "Start"
RANK = 0
EXAMPLE = "datakeel demo --keep"


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument(
        "--platform", action="append", default=[], metavar="NAME", help="only this one; repeatable (default: all)"
    )
    parser.add_argument("--keep", action="store_true", help="leave all running in the end, with commands to try")
    parser.add_argument("--fast", action="store_true", help="no pauses for reading")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="colour (default: auto)")


def run(arguments: Namespace) -> int:
    """Exit 0 at its end, 1 when the agent did not do what it is for."""
    import shutil
    import sys
    import time

    from agent.cli.demo import next_commands, staged
    from agent.cli.demo_table import WIDTH_MAX, Table
    from agent.cli.shared import paint_of

    def say(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    with staged(arguments.platform) as demo:
        names = [script.platform for script in demo.stage.scripts]
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH_MAX
        table = Table(names, width, paint_of(arguments))
        for line in table.head():
            say(line)
        for act in demo.acts():
            for line in table.act(act):
                say(line)
            time.sleep(0.0 if arguments.fast else 1.5)
        say("")
        for line in demo.refused:
            say(line)
        if arguments.keep:
            say("\n" + next_commands(demo))
            demo.stage.wait()
    return 0
