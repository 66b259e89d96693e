"""The lines of one change of a plan: mark, word, key, cause, origin, and below them the fields or the reasons.

Called by ``report.text`` only. Arrows go from live to desired; a keyed list item shows its key; a secret shows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from agent.model.change import Action, Cause, Change, FieldChange, FieldOp
from agent.model.identity import Key, Revision
from agent.report.escape import clean
from agent.report.values import Paint, counted, is_long, leaves, line_diff, moment, plain, show, utc

MARKS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.REPLACE: "-/+",
    Action.DELETE: "-",
    Action.ADOPT: "&",
    Action.RELEASE: "^",
    Action.HOLD: "!",
    Action.NONE: "*",
}
WORDS = {action: action.value for action in Action} | {Action.HOLD: "held", Action.NONE: "drift"}
_PATH_WIDTH = 36
_VALUE_WIDTH = 24
_CREATE_SHOWN = 8
_BRIEF_SHOWN = 3


def render_change(
    change: Change,
    names: Mapping[Key, str],
    width: int,
    *,
    paint: Paint = plain,
    full: bool = False,
    now: float | None = None,
    above: Change | None = None,
) -> list[str]:
    """All lines of one change. ``names`` gives the text of every key, ``width`` the column of the longest.

    ``now`` is given where ages may be told; ``above`` is the change before, whose reason is not told twice.
    """
    lines = [_first_line(change, names, width, paint, now)]
    if change.action is Action.REPLACE and not any(_is_about(change, field) for field in change.fields):
        lines += [f"      why    {clean(change.message)}"] if change.message and change.fields else []
    if full and change.because is not None and not _removes(change):
        lines.append(f"      git    {_commit(change.because, now)}: {clean(change.because.subject, 100)}")
    if change.action is Action.HOLD:
        lines += _held(change, above)
        lines += _fields(change, paint, full)
        return lines + _hits(change, names)
    if change.action in (Action.CREATE, Action.DELETE) and change.message and change.origin is not None:
        lines.append(f"      note   {clean(change.message)}")
    if change.action is Action.DELETE:
        if change.proof:
            lines.append(f"      proof  {clean(change.proof)}")
    elif change.action is Action.CREATE and not full:
        summary = _created(change.fields)
        lines += [f"      {summary}"] if summary else []
    elif change.action is Action.ADOPT and not change.fields:
        lines.append(f"      {clean(change.message) or 'identical to git'}")
    elif change.action is Action.RELEASE:
        lines.append(f"      {clean(change.message) or 'stays live, no longer ours'}")
    else:
        lines += _fields(change, paint, full)
    return lines + _hits(change, names)


def _hits(change: Change, names: Mapping[Key, str]) -> list[str]:
    return ["      hits   " + ", ".join(names[key] for key in change.hits)] if change.hits else []


def render_apart(
    change: Change, names: Mapping[Key, str], width: int, *, paint: Paint = plain, full: bool = False
) -> list[str]:
    """The lines of what differs and is none of the proposal's doing, though it may be of a resource that it changes."""
    fields = [field for field in change.fields if field.apart]
    shown = replace(change, action=Action.NONE, message="")
    lines = [_first_line(shown, names, width, paint, None)]
    for field in fields:
        note = "changed live" if field.cause is Cause.DRIFT else "asked for before, not applied yet"
        lines += _field(shown, field, paint, full, note)
    return lines


def _removes(change: Change) -> bool:
    return change.action is Action.RELEASE or Action.DELETE in (change.action, change.would)


def _commit(revision: Revision, now: float | None) -> str:
    """``9be01d2 by ann, 3 days ago``; with the date where no age may be told."""
    at = revision.committed_at
    when = "" if at is None else f", {utc(at)[:10] if now is None else moment(at, now)}"
    by = f" by {clean(revision.author, 60)}" if revision.author else ""
    return f"{revision.short}{by}{when}"


def _first_line(change: Change, names: Mapping[Key, str], width: int, paint: Paint, now: float | None) -> str:
    role = WORDS[change.action]
    head = paint(role, f"{MARKS[change.action]:<4}{WORDS[change.action]:<9}") + names[change.key].ljust(width)
    told = change.cause not in (Cause.GIT, Cause.ADOPT) and change.action is not Action.NONE
    cause = f"{change.cause.value if told else '':<12}"
    if change.because is not None and _removes(change):
        place = f"removed in {_commit(change.because, now)}"
    elif change.origin is not None:
        place = clean(f"{change.origin.path}:{change.origin.line}")
    else:
        place = clean(change.message) if change.action in (Action.DELETE, Action.REPLACE) else ""
    return f"{head}  {cause}{place}".rstrip()


def _held(change: Change, above: Change | None) -> list[str]:
    lines = [f"      would  {change.would.value if change.would else 'cannot be told'}"]
    why = clean(change.message) or clean(change.reason)
    if above is not None and above.action is Action.HOLD and why == clean(above.message):
        why = "as above"
    return [*lines, f"      why    {why}"] if why else lines


def _fields(change: Change, paint: Paint, full: bool) -> list[str]:
    lines: list[str] = []
    for field in change.fields:
        if not field.apart:
            lines += _field(change, field, paint, full, _note(change, field))
    return lines


def _field(change: Change, field: FieldChange, paint: Paint, full: bool, note: str) -> list[str]:
    path = clean(field.path, None if full else 120)
    below: list[str] = []
    if field.sensitive:
        value = "(secret) changed"
        note = clean(field.reference) if field.reference else note
    elif is_line_by_line(field):
        value, diff = line_diff(field.before, field.after, full=full)
        value = f"added {value}" if field.op is FieldOp.ADD else value
        below = [f"        {_painted_diff(line, paint)}" for line in diff]
    else:
        value = _arrow(field, full)
    line = f"      {path.ljust(_PATH_WIDTH)} {value}"
    return [f"{line.ljust(6 + _PATH_WIDTH + _VALUE_WIDTH)}  {note}" if note else line, *below]


def is_line_by_line(field: FieldChange) -> bool:
    """Whether a field is told by lines of its own."""
    added = field.op is FieldOp.ADD
    return (added or field.op is FieldOp.CHANGE) and is_long(field.before, field.after, added=added)


def brief(change: Change) -> str:
    """The first fields of a change on one line, and how many more there are."""
    fields = [field for field in change.fields if not field.apart]
    shown = [
        f"{clean(field.path, 80)} {'(secret) changed' if field.sensitive else _arrow(field, full=False, width=40)}"
        for field in fields[:_BRIEF_SHOWN]
    ]
    if len(fields) > _BRIEF_SHOWN:
        shown.append(f"{len(fields) - _BRIEF_SHOWN} more")
    return " · ".join(shown)


def _painted_diff(line: str, paint: Paint) -> str:
    if line.startswith("| -"):
        return paint("delete", line)
    return paint("create", line) if line.startswith("| +") else line


def _arrow(field: FieldChange, full: bool, width: int = 100) -> str:
    shown = None if full else width
    before, after = show(field.before, shown), show(field.after, shown)
    if field.op is FieldOp.ADD:
        return f"added {after}"
    if field.op is FieldOp.REMOVE:
        return "removed" if isinstance(field.before, dict | list) else f"removed {before}"
    if field.op is FieldOp.RELEASE:
        return f"released: gone from git, stays {before}"
    if field.op is FieldOp.DEFAULT:
        return f"{before} -> {after} (default)"
    return f"{before} -> {after}"


def _note(change: Change, field: FieldChange) -> str:
    if change.action is Action.NONE:
        return clean(change.message) or "reported, not healed"
    if field.cause is Cause.DRIFT:
        return _drifted(change, field) if change.cause is Cause.DRIFT else "drift: changed live"
    if change.action is Action.REPLACE and _is_about(change, field):
        return clean(change.message.removeprefix(f"`{field.path}` "))
    return ""


def _is_about(change: Change, field: FieldChange) -> bool:
    """Whether the change's message names the field."""
    return f"`{field.path}`" in change.message


def _drifted(change: Change, field: FieldChange) -> str:
    """That somebody changed it live, and as of which commit git says otherwise."""
    if change.because is None or field.sensitive or field.op is not FieldOp.CHANGE:
        return "changed live"
    wanted = show(field.after, None)
    return f"changed live; git says {wanted if len(wanted) <= 24 else 'otherwise'} as of {change.because.short}"


def _created(fields: tuple[FieldChange, ...]) -> str:
    """The new object on one line: values of its leaves, lists as counts."""
    lists: dict[str, set[str]] = {}
    parts: dict[str, str] = {}
    for field in fields:
        stem, bracket, rest = field.path.partition("[")
        if bracket:
            lists.setdefault(stem, set()).add(rest.partition("]")[0])
            parts[stem] = f"{clean(stem)} {counted(len(lists[stem]), 'item')}"
        elif field.sensitive:
            parts[stem] = f"{clean(stem)} (secret)"
        else:
            parts |= {path: f"{clean(path)} {_short(leaf)}" for path, leaf in leaves(stem, field.after)}
    shown = list(parts.values())[:_CREATE_SHOWN]
    hidden = len(parts) - len(shown)
    cut = any(part.endswith(("…", " item", " items")) for part in shown)
    if hidden:
        shown.append(f"{hidden} more")
    return " · ".join(shown) + (" (--full)" if hidden or cut else "")


def _short(value: object) -> str:
    if isinstance(value, list) and len(show(value, None)) > 40:
        return counted(len(value), "item")
    return show(value, 40)
