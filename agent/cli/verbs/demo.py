"""``datakeel demo``: sandbox, repository and agent in a temporary folder, and what happens, in a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

NAME = "demo"
SUMMARY = "see the whole loop in a minute, without an account"
GROUP = "Start"
RANK = 0
EXAMPLE = "datakeel demo --keep"


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("--keep", action="store_true", help="leave all running in the end, with commands to try")
    parser.add_argument("--fast", action="store_true", help="no pauses for reading")


def run(arguments: Namespace) -> int:
    """Exit 0 at its end, 1 when the agent did not do what it is for."""
    import sys

    from agent.cli.demo import next_commands, staged

    def say(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    with staged(say, pause=0.0 if arguments.fast else 1.5) as demo:
        demo.play()
        if arguments.keep:
            say("\n" + next_commands(demo))
            demo.wait()
    return 0
