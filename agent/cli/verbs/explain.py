"""``datakeel explain CODE``: what an error code means and what mends it. ``explain promises PLATFORM``: what its kinds
cannot promise, what is guessed, and what looking costs. Offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence
    from pathlib import Path

NAME = "explain"
SUMMARY = "tell what an error code means, or what the kinds of a platform promise"
GROUP = "More"
RANK = 1
EXAMPLE = "datakeel explain unknown-key"
_PROMISES = "promises"


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_schemas

    parser.add_argument(
        "what",
        nargs="*",
        metavar="CODE | promises PLATFORM",
        help="the word in error[…], or `promises` and a platform; without it, all codes are listed",
    )
    parser.add_argument("--config", metavar="FILE", help="configuration, for the platforms under its `schemas`")
    add_schemas(parser)


def run(arguments: Namespace) -> int:
    """Exit 0, or 64 for a code or a platform that does not exist."""
    import sys

    from agent.errors import UsageError

    first, *rest = arguments.what or [None]
    if first == _PROMISES and len(rest) == 1:
        sys.stdout.write(_promises(arguments, rest[0]))
        return 0
    if first == _PROMISES or rest:
        raise UsageError("explain takes one code, or `promises` and one platform", fix="datakeel explain promises NAME")
    sys.stdout.write(_code(first))
    return 0


def _code(written: str | None) -> str:
    from agent.cli.error_codes import explanations
    from agent.errors import UsageError

    known = explanations()
    if written is None:
        return "".join(f"{code}\n" for code in sorted(known))
    code = written.removeprefix("error[").removeprefix("warning[").removesuffix("]")
    if code not in known:
        import difflib

        near = difflib.get_close_matches(code, known, n=1)
        raise UsageError(
            f"no error has the code {code!r}",
            fix=f"did you mean {near[0]}?" if near else "datakeel explain lists all",
        )
    return f"{code}\n\n{known[code]}\n"


def _promises(arguments: Namespace, name: str) -> str:
    from agent.definitions.load import available, load_platform
    from agent.definitions.places import did_you_mean
    from agent.definitions.promise_words import as_text
    from agent.errors import UsageError
    from agent.report.escape import clean

    folders = _folders(arguments)
    found = available(folders)
    plain = {known.partition("/")[0] for known in found}
    if name not in found and name not in plain:
        fix = did_you_mean(name, sorted(plain))
        raise UsageError(f"there is no platform {clean(name, 60)!r}", fix=fix)
    platform = load_platform(name, extra_folders=folders)
    return f"{platform.api_version}\n\n{as_text(platform)}"


def _folders(arguments: Namespace) -> Sequence[Path]:
    """Those of the command line and of the configuration; a configuration is not needed, and need not be right."""
    from agent.cli.shared import config_of, schemas_of
    from agent.errors import ConfigError

    given = schemas_of(arguments)
    try:
        return config_of(arguments).schemas
    except ConfigError:
        if arguments.config:
            raise
        return given
