"""``datakeel get``: live objects as a table, or one of them as YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from agent.cli.options import LiveRow

NAME = "get"
SUMMARY = "show what is live: a table of a kind, or one object as YAML"
GROUP = "Look"
RANK = 4
EXAMPLE = "datakeel get Workflow/daily-etl"
_FORMATS = ("text", "json")


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_common

    parser.add_argument("what", nargs="?", default="", metavar="Kind[/name]", help="a kind, or one object of it")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--desired", action="store_true", help="what git says instead")
    which.add_argument("--applied", action="store_true", help="what was written last instead")
    parser.add_argument("--fresh", action="store_true", help="believe no remembered read")
    add_common(parser, _FORMATS)


def run(arguments: Namespace) -> int:
    """Exit 0, or 1 when the one object that was named is not there or could not be read."""
    from agent.cli import looking, shared
    from agent.cli.options import Selector
    from agent.cli.output import write_outputs
    from agent.errors import EXIT_DONE, EXIT_FAILED, AgentError
    from agent.report.documents import dump_document

    outputs = shared.outputs_of(arguments, _FORMATS)
    selector = Selector.parse(arguments.what) if arguments.what else Selector("")
    rows = shared.run_async(
        looking.fetch_live(
            shared.config_of(arguments),
            shared.options_of(arguments),
            selector,
            desired=arguments.desired,
            applied=arguments.applied,
        )
    )
    if selector.names and not rows:
        raise AgentError(f"{arguments.what} is neither in git nor known to be live", code="not-found")

    def text() -> str:
        return _yaml(rows) if selector.names else _table(rows, shared.terminal_now())

    def as_json() -> str:
        return dump_document({"format": "datakeel.live/1", "resources": [_document(row) for row in rows]})

    write_outputs(outputs, {"text": text, "json": as_json})
    return EXIT_FAILED if selector.names and all(row.body is None for row in rows) else EXIT_DONE


def _table(rows: tuple[LiveRow, ...], now: float | None) -> str:
    from agent.report.escape import clean
    from agent.report.values import moment, table

    if not rows:
        return "nothing is live\n"
    lines = [["KIND", "NAME", "STATUS", "OURS", "IN SYNC", "VERIFIED"]]
    for row in rows:
        in_sync = "-" if row.in_sync is None else "yes" if row.in_sync else "no"
        name = clean(row.key.path.partition("/")[2], 120)
        lines.append([row.key.kind, name, row.health, "yes" if row.ours else "no", in_sync, moment(row.seen_at, now)])
    return "".join(f"{line}\n" for line in table(lines))


def _yaml(rows: tuple[LiveRow, ...]) -> str:
    from agent import yaml_io
    from agent.report.escape import clean

    documents = []
    for row in rows:
        head = f"# {clean(row.key.target)} {clean(row.key.path)}: {row.health}\n"
        documents.append(head + (yaml_io.dump(row.body) if row.body is not None else "# no content is known\n"))
    return "---\n".join(documents)


def _document(row: LiveRow) -> dict[str, Any]:
    from agent.report.documents import key_document
    from agent.report.values import utc

    return {
        "key": key_document(row.key),
        "health": row.health,
        "ours": row.ours,
        "in_sync": row.in_sync,
        "seen_at": utc(row.seen_at) if row.seen_at is not None else None,
        "body": row.body,
    }
