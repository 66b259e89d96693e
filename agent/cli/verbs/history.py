"""``datakeel history``: what was done, from the store alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

NAME = "history"
SUMMARY = "list what was done, to everything or to one resource"
GROUP = "Look"
RANK = 2
EXAMPLE = "datakeel history Workflow/daily-etl"
_FORMATS = ("text", "json", "jsonl")


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_common, positive

    parser.add_argument("what", nargs="?", metavar="ID|Kind/name", help="one pass in full, or one resource's changes")
    parser.add_argument("--target", metavar="NAME", help="only passes of this target")
    parser.add_argument("--since", metavar="DURATION", help="only what is younger, such as 2h or 7d")
    parser.add_argument("--limit", type=positive, default=20, metavar="N", help="at most this many lines (default: 20)")
    add_common(parser, _FORMATS, selecting=False)


def run(arguments: Namespace) -> int:
    """Exit 0; 1 for a pass that is not known."""
    from agent.cli import shared
    from agent.cli.output import write_outputs
    from agent.report import history_text
    from agent.store import status as store

    outputs = shared.outputs_of(arguments, _FORMATS)
    since = _since(arguments.since)
    url = shared.state_of(arguments)
    now = shared.terminal_now()
    rows: list[dict[str, Any]]
    if arguments.what and "/" in arguments.what:
        kind, _, name = arguments.what.partition("/")
        events = [
            event
            for event in store.recent_events(url, kind, name.rpartition("/")[2], limit=arguments.limit)
            if (arguments.target in (None, event.target)) and (since is None or event.at >= since)
        ]
        text, rows = history_text.render_events(events, now=now), [event._asdict() for event in events]
    elif arguments.what:
        document = _known(store.read_pass(url, arguments.what), arguments.what)
        text, rows = history_text.render_document(document), [document]
    else:
        passes = store.recent_passes(url, limit=arguments.limit, target=arguments.target, since=since)
        text, rows = history_text.render_passes(passes, now=now), [one._asdict() for one in passes]

    write_outputs(
        outputs, {"text": lambda: text, "json": lambda: _json(rows), "jsonl": lambda: _json(rows, lines=True)}
    )
    return 0


def _known(document: dict[str, Any] | None, what: str) -> dict[str, Any]:
    from agent.errors import AgentError

    if document is None:
        raise AgentError(f"no pass {what!r} is known", code="not-found", fix="datakeel history lists the passes")
    return document


def _since(text: str | None) -> float | None:
    if text is None:
        return None
    import re
    import time

    from agent.errors import UsageError

    found = re.fullmatch(r"([0-9]{1,6})(s|m|h|d)", text)
    if not found:
        raise UsageError(f"--since {text}: not a duration", fix="write 30m, 2h or 7d")
    return time.time() - int(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]


def _json(rows: list[dict[str, Any]], *, lines: bool = False) -> str:
    from agent.report.documents import dump_document

    if lines:
        return "".join(dump_document(row, pretty=False) for row in rows)
    return dump_document({"format": "datakeel.history/1", "entries": rows})
