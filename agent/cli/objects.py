"""What the verbs that ask about one object have alike: its words, and how a result is shown.

Used by ``act``, ``query``, ``metrics``, ``logs``, ``get`` and ``import``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from agent.cli.finding import Asked


def add_object(parser: ArgumentParser) -> None:
    """``--arg --in --id``, which `logs` and `metrics` have too."""
    parser.add_argument(
        "--arg", action="append", default=[], metavar="NAME=VALUE", help="an argument of the call; repeatable"
    )
    add_place(parser)


def add_place(parser: ArgumentParser) -> None:
    """``--in --id``: which object is meant, beside its name."""
    add_where(parser, "where the object stands")
    parser.add_argument("--id", metavar="ID", help="its id, where several have the name")


def add_where(parser: ArgumentParser, help: str) -> None:
    """``--in``: the words that say where an object, or several, stand."""
    parser.add_argument(
        "--in",
        dest="where",
        action="append",
        default=[],
        metavar="WORD=NAME",
        help=f"{help}, such as workspace=analytics; repeatable",
    )


def object_of(arguments: Namespace) -> Asked:
    """The one object that the words name."""
    from agent.cli.finding import Asked
    from agent.cli.options import Selector
    from agent.errors import UsageError

    selector = Selector.parse(arguments.what)
    if not selector.names or selector.exclude:
        raise UsageError(f"one resource is needed, not {arguments.what}", fix="write Kind/name")
    return Asked(selector, tuple(arguments.where), arguments.id, tuple(arguments.arg))


def several_of(arguments: Namespace) -> list[Asked]:
    """The objects that the words name; a kind alone means all of its objects."""
    from agent.cli.finding import Asked
    from agent.cli.options import Selector
    from agent.errors import UsageError

    asked, where, server_id = [], tuple(getattr(arguments, "where", ())), getattr(arguments, "id", None)
    for text in arguments.what:
        selector = Selector.parse(text)
        if selector.exclude or selector.kind is None:
            raise UsageError(f"{text}: objects are named one by one, or by their kind", fix="write Kind/name or Kind")
        asked.append(Asked(selector, where, server_id))
    if server_id is not None and (len(asked) > 1 or not asked[0].selector.names):
        raise UsageError("--id names one object", fix="write one Kind/name beside it")
    return asked


def require_yes(arguments: Namespace, question: str) -> None:
    """``--yes``, or a person's yes; UsageError where nobody can be asked, Refused for a no."""
    import os
    import sys

    from agent.cli.shared import is_interactive
    from agent.errors import Refused, UsageError

    if arguments.yes:
        return
    if not is_interactive(os.environ):
        raise UsageError("nobody can be asked here", fix="look at what is shown above, then say --yes")
    sys.stderr.write(question)
    sys.stderr.flush()
    try:
        agreed = input().strip().lower() in ("y", "yes")
    except EOFError:
        agreed = False
    if not agreed:
        raise Refused("not confirmed; nothing was written", code="not-confirmed")


def shown(value: object) -> str:
    """A result for people: text as it is, line by line, anything else as YAML; nothing for nothing."""
    from agent import yaml_io
    from agent.report.escape import clean_lines

    if value is None:
        return ""
    text = value if isinstance(value, str) else yaml_io.dump(value)
    return "".join(f"{line}\n" for line in clean_lines(text.removesuffix("\n"), ""))
