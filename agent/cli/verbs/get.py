"""``datakeel get``: live objects as a table, or one of them as YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from agent.cli.finding import Asked
    from agent.cli.looking import Live
    from agent.cli.options import LiveRow

NAME = "get"
SUMMARY = "show what is live: a table of a kind, or one object as YAML"
GROUP = "Look"
RANK = 4
EXAMPLE = "datakeel get Workflow/daily-etl"
_FORMATS = ("text", "json")


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.objects import add_place
    from agent.cli.shared import add_common

    parser.add_argument("what", nargs="?", default="", metavar="Kind[/name]", help="a kind, or one object of it")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--desired", action="store_true", help="what git says instead")
    which.add_argument("--applied", action="store_true", help="what was written last instead")
    parser.add_argument("--fresh", action="store_true", help="believe no remembered read")
    add_place(parser)
    add_common(parser, _FORMATS)


def run(arguments: Namespace) -> int:
    """Exit 0, or 1 when something could not be read, or the one object that was named is not there."""
    from agent.cli import looking, shared
    from agent.cli.output import print_error, tell, write_outputs
    from agent.errors import EXIT_DONE, EXIT_FAILED
    from agent.report.documents import dump_document

    outputs = shared.outputs_of(arguments, _FORMATS)
    asked = _asked(arguments)
    live = shared.run_async(
        looking.fetch_live(
            shared.config_of(arguments),
            shared.options_of(arguments),
            asked,
            desired=arguments.desired,
            applied=arguments.applied,
        )
    )
    named = bool(asked.selector.names)
    text = lambda: _yaml(live.rows) if named else _table(live, shared.terminal_now())  # noqa: E731
    write_outputs(outputs, {"text": text, "json": lambda: dump_document(_document_of(live))})
    for note in () if arguments.quiet else live.notes:
        tell(note)
    for target, error in live.faults:
        tell(f"{target}: not everything could be read")
        print_error(error, json_wanted="")
    missing = named and all(row.body is None for row in live.rows)
    return EXIT_FAILED if live.faults or missing else EXIT_DONE


def _asked(arguments: Namespace) -> Asked:
    from agent.cli.finding import Asked
    from agent.cli.options import Selector
    from agent.errors import UsageError

    selector = Selector.parse(arguments.what) if arguments.what else Selector("")
    if selector.exclude or selector.glob is not None:
        raise UsageError(f"a kind or one object of it is shown, not {arguments.what}", fix="write Kind or Kind/name")
    for flag in ("desired", "applied", "id"):
        if getattr(arguments, flag) and not selector.names:
            raise UsageError(f"--{flag} is about one object", fix="write Kind/name")
    return Asked(selector, tuple(arguments.where), arguments.id)


def _table(live: Live, now: float | None) -> str:
    from agent.report.escape import clean
    from agent.report.values import moment, table

    if not live.rows:
        words = "nothing is live in what could be read" if live.faults else "nothing is live"
        return f"{words}\n" if live.answered else ""
    lines = [["KIND", "NAME", "STATUS", "OURS", "IN SYNC", "VERIFIED"]]
    for row in live.rows:
        in_sync = "-" if row.in_sync is None else "yes" if row.in_sync else "no"
        name = clean(row.key.path.partition("/")[2], 120)
        lines.append([row.key.kind, name, row.health, "yes" if row.ours else "no", in_sync, moment(row.seen_at, now)])
    return "".join(f"{line}\n" for line in table(lines))


def _yaml(rows: Sequence[LiveRow]) -> str:
    from agent import yaml_io
    from agent.report.escape import clean

    documents = []
    for row in rows:
        head = f"# {clean(row.key.target)} {clean(row.key.path)}: {row.health}\n"
        documents.append(head + (yaml_io.dump(row.body) if row.body is not None else "# no content is known\n"))
    return "---\n".join(documents)


def _document_of(live: Live) -> dict[str, Any]:
    from agent.report.documents import error_members

    return {
        "format": "datakeel.live/1",
        "complete": not live.faults,
        "errors": [{"target": target, **error_members(error)} for target, error in live.faults],
        "resources": [_document(row) for row in live.rows],
    }


def _document(row: LiveRow) -> dict[str, Any]:
    from agent.report.change_documents import key_document
    from agent.report.values import utc

    return {
        "key": key_document(row.key),
        "health": row.health,
        "ours": row.ours,
        "in_sync": row.in_sync,
        "seen_at": utc(row.seen_at) if row.seen_at is not None else None,
        "body": row.body,
    }
