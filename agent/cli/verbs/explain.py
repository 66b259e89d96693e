"""``datakeel explain WORD``: what an error code means and what mends it; what a kind is, what a manifest may say and
what can be asked of it; what one member means. ``explain promises PLATFORM``: what its kinds cannot promise. Offline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence
    from pathlib import Path

NAME = "explain"
SUMMARY = "tell what an error code, a kind or a member of one means, or what a platform's kinds promise"
GROUP = "More"
RANK = 1
EXAMPLE = "datakeel explain Pipeline.schedule"
_PROMISES = "promises"


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_schemas

    parser.add_argument(
        "what",
        nargs="*",
        metavar="WORD",
        help="the word in error[…]; a kind, or Kind.member.of.its.schema; a platform; `promises` and a platform; "
        "without it, all codes are listed",
    )
    parser.add_argument("--platform", metavar="NAME", help="the one that is meant, where several have the kind")
    parser.add_argument("--config", metavar="FILE", help="configuration: the platforms of its targets come first")
    add_schemas(parser)


def run(arguments: Namespace) -> int:
    """Exit 0, or 64 for a word that means nothing."""
    import sys

    from agent.errors import UsageError
    from agent.report.escape import clean_lines

    first, *rest = arguments.what or [arguments.platform]
    if (first == _PROMISES and len(rest) != 1) or (first != _PROMISES and rest):
        raise UsageError("explain takes one word, or `promises` and one platform", fix="datakeel explain promises NAME")
    text = (None if arguments.platform or rest else _code(first)) or _of_definitions(arguments, first, *rest)
    sys.stdout.write("".join(f"{line}\n" for line in clean_lines(text.removesuffix("\n"), "")))
    return 0


def _code(written: str | None) -> str | None:
    """What an error code means; all codes for no word."""
    from agent.cli.error_codes import explanations

    known = explanations()
    if written is None:
        return "".join(f"{code}\n" for code in sorted(known))
    code = written.removeprefix("error[").removeprefix("warning[").removesuffix("]")
    return f"{code}\n\n{known[code]}\n" if code in known else None


def _of_definitions(arguments: Namespace, first: str, platform: str | None = None) -> str:
    from agent.cli import explaining

    folders, targets = _configured(arguments)
    if platform is not None:
        return explaining.promises_of(platform, folders)
    return explaining.explained(first, explaining.known_platforms(folders, targets), arguments.platform)


def _configured(arguments: Namespace) -> tuple[Sequence[Path], Sequence[str]]:
    """Folders of definitions, and the platforms of the targets.

    A configuration is not needed, and need not be right: one that is not named on the command line is then left out.
    """
    from agent.cli.shared import config_of, schemas_of
    from agent.errors import ConfigError

    given = schemas_of(arguments)
    try:
        config = config_of(arguments)
    except ConfigError:
        if arguments.config:
            raise
        return given, ()
    return config.schemas, [target.platform for target in config.targets.values()]
