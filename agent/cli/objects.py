"""What the verbs that ask about one object have alike: its words, and how a result is shown.

Used by ``act``, ``query``, ``metrics``, ``logs`` and ``get``.
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
    parser.add_argument(
        "--in",
        dest="where",
        action="append",
        default=[],
        metavar="WORD=NAME",
        help="where the object stands, such as workspace=analytics; repeatable",
    )
    parser.add_argument("--id", metavar="ID", help="its id, where several have the name")


def object_of(arguments: Namespace) -> Asked:
    """The one object that the words name."""
    from agent.cli.finding import Asked
    from agent.cli.options import Selector
    from agent.errors import UsageError

    selector = Selector.parse(arguments.what)
    if not selector.names or selector.exclude:
        raise UsageError(f"one resource is needed, not {arguments.what}", fix="write Kind/name")
    return Asked(selector, tuple(arguments.where), arguments.id, tuple(arguments.arg))


def shown(value: object) -> str:
    """A result for people: text as it is, line by line, anything else as YAML; nothing for nothing."""
    from agent import yaml_io
    from agent.report.escape import clean_lines

    if value is None:
        return ""
    text = value if isinstance(value, str) else yaml_io.dump(value)
    return "".join(f"{line}\n" for line in clean_lines(text.removesuffix("\n"), ""))
