"""The past as text: passes that did something, one pass in full, all that was done to one resource.

Called by ``history`` with rows that ``store.status`` read. ``now`` is given on a terminal only, as in ``status_text``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from agent.report.escape import clean
from agent.report.values import Paint, counted, moment, plain, show, table

Document = Mapping[str, Any]
_RESULTS = (("not_done", "failed"), ("unknown", "unknown"), ("skipped", "skipped"), ("held", "held"))


class Pass(Protocol):
    """The members of ``store.status.PassRow`` that are shown."""

    @property
    def number(self) -> int: ...
    @property
    def target(self) -> str: ...
    @property
    def revision(self) -> str: ...
    @property
    def author(self) -> str: ...
    @property
    def finished_at(self) -> float: ...
    @property
    def result(self) -> str: ...
    @property
    def error_code(self) -> str: ...
    @property
    def counts(self) -> Mapping[str, Any]: ...
    @property
    def calls(self) -> int: ...


class Event(Protocol):
    """The members of ``store.status.EventRow`` that are shown."""

    @property
    def pass_number(self) -> int: ...
    @property
    def target(self) -> str: ...
    @property
    def revision(self) -> str: ...
    @property
    def at(self) -> float: ...
    @property
    def action(self) -> str: ...
    @property
    def cause(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def fields(self) -> Sequence[Mapping[str, Any]]: ...


_SECRET_WORDS = {"add": "added", "remove": "removed", "release": "released"}


def render_passes(passes: Sequence[Pass], *, now: float | None, paint: Paint = plain) -> str:
    """One line a pass, newest first as they are given."""
    if not passes:
        return "no pass did anything\n"
    rows = [["ID", "WHEN", "TARGET", "REVISION", "WHAT", "CALLS", "RESULT"]]
    for one in passes:
        rows.append(
            [
                str(one.number),
                moment(one.finished_at, now),
                clean(one.target, 40),
                f"{clean(one.revision)[:7]} {clean(one.author, 20)}".strip(),
                what_of(one.counts),
                str(one.calls),
                clean(one.result.replace("_", " ")) + (f" [{clean(one.error_code)}]" if one.error_code else ""),
            ]
        )
    lines = table(rows)
    return "".join(f"{line}\n" for line in [paint("heading", lines[0]), *lines[1:]])


def what_of(counts: Mapping[str, Any]) -> str:
    """``1 create, 2 update, 1 failed`` from the counts of a pass."""
    done = counts.get("done")
    parts = [f"{number} {clean(action)}" for action, number in sorted(done.items()) if number] if done else []
    parts += [f"{counts[result]} {word}" for result, word in _RESULTS if counts.get(result)]
    return ", ".join(parts) or "-"


def render_events(events: Sequence[Event], *, now: float | None, paint: Paint = plain) -> str:
    """All that was done to one resource; below each change its fields."""
    if not events:
        return "nothing is known to have been done to it\n"
    rows = [
        [
            str(one.pass_number),
            moment(one.at, now),
            clean(one.target, 40),
            clean(one.revision)[:7],
            f"{clean(one.action)} {clean(one.outcome.replace('_', ' '))}",
            " ".join(word for word in (clean(one.cause), clean(one.message, 200)) if word),
        ]
        for one in events
    ]
    lines = table([["ID", "WHEN", "TARGET", "REVISION", "WHAT", "WHY"], *rows])
    text = [paint("heading", lines[0])]
    for line, one in zip(lines[1:], events, strict=True):
        text += [line, *(f"     {_field(field)}" for field in one.fields)]
    return "".join(f"{line}\n" for line in text)


def render_document(document: Document) -> str:
    """A stored pass with every change."""
    revision = document.get("revision") or {}
    ref = f"{clean(str(revision['ref']))}@" if revision.get("ref") else ""
    lines = [
        f"pass       {clean(str(document.get('pass', '')))}",
        f"target     {clean(str(document.get('target', '')))}",
        f"revision   {ref}{clean(str(revision.get('commit') or '-'))}",
        f"time       {clean(str(document.get('started_at', '')))} to {clean(str(document.get('finished_at', '')))}",
        f"digest     {clean(str(document.get('digest') or '-'))}",
        f"calls      {int((document.get('calls') or {}).get('total', 0))}",
    ]
    error = document.get("error")
    if error:
        lines.append(f"error      {clean(str(error.get('message')))} [{clean(str(error.get('code')))}]")
    changes = document.get("changes") or ()
    rows = [
        [
            clean(str(change.get("outcome", "")).replace("_", " ")),
            clean(str(change.get("action", ""))),
            clean(f"{change['key']['kind']}/{change['key']['name']}", 120),
            counted(int(change.get("calls", 0)), "call"),
            clean(str(change.get("answer") or change.get("message") or ""), 200),
        ]
        for change in changes
    ]
    for line, change in zip(table(rows), changes, strict=True):
        lines += [line, *(f"     {_field(field)}" for field in change.get("fields") or ())]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _field(field: Mapping[str, Any]) -> str:
    path = clean(str(field.get("path", "")), 120)
    if field.get("sensitive"):
        return f"{path}  (secret) {_SECRET_WORDS.get(str(field.get('op')), 'changed')}"
    if "before" in field and "after" in field:
        return f"{path}  {show(field['before'], 60)} -> {show(field['after'], 60)}"
    if "after" in field:
        return f"{path}  added {show(field['after'], 60)}"
    return f"{path}  {clean(str(field.get('op', '')))}"
