"""``datakeel explain CODE``: what an error code means and what mends it. Offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

NAME = "explain"
SUMMARY = "tell what an error code means and what mends it"
GROUP = "More"
RANK = 1
EXAMPLE = "datakeel explain unknown-key"


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("what", nargs="?", metavar="CODE", help="the word in error[…]; without it, all are listed")


def run(arguments: Namespace) -> int:
    """Exit 0, or 64 for a code that does not exist."""
    import sys

    from agent.cli.error_codes import explanations
    from agent.errors import UsageError

    known = explanations()
    if arguments.what is None:
        sys.stdout.write("".join(f"{code}\n" for code in sorted(known)))
        return 0
    code = arguments.what.removeprefix("error[").removesuffix("]")
    if code not in known:
        import difflib

        near = difflib.get_close_matches(code, known, n=1)
        raise UsageError(
            f"no error has the code {code!r}",
            fix=f"did you mean {near[0]}?" if near else "datakeel explain lists all",
        )
    sys.stdout.write(f"{code}\n\n{known[code]}\n")
    return 0
