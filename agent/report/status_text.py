"""The state of all targets as text. Reads the documents that a pass wrote into the store.

Called by ``status``; never calls a platform. ``now`` is given on a terminal only: there ages are told,
elsewhere dates, so that equal documents give equal bytes.

A status document: ``target, platform, revision, short, in_sync, total, drift, held, failed, unknown,
verified_p95_seconds, calls_left: [{window_seconds, left, usable, limit}], last_pass_at, next_look_at, conditions:
[{type, status, reason, message, since}], error: null | {code, message}, held_list: [{kind, name, reason, message}],
drift_list, failed_list, calls: {purpose: number}, knowledge, looking, suspended: [{selector, reason, who, since,
until}]`` (``knowledge_text`` reads knowledge and looking; the last one is no pass's word: it is what people have said
up to now).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent.report.escape import clean
from agent.report.knowledge_text import knowledge_lines
from agent.report.values import Paint, counted, duration, moment, plain, table, window_word

_HEAD = ["TARGET", "REVISION", "IN SYNC", "DRIFT", "HELD", "FAILED", "VERIFIED", "CALLS LEFT", "NEXT"]
_LISTED_MAX = 20

Document = Mapping[str, Any]


def render_status(
    documents: Mapping[str, Document], *, now: float | None, paint: Paint = plain, verbose: bool = False
) -> str:
    """One sentence, one table, and the reasons of whatever is not well."""
    if not documents:
        return "no pass yet: the state store knows no target; `datakeel run`, or `datakeel apply`, makes the first\n"
    ordered = [documents[name] for name in sorted(documents)]
    lines = [paint("heading", sentence(ordered))]
    lines += table([_HEAD, *(_row(document, now) for document in ordered)])
    for document in ordered:
        lines += _reasons(document, now, paint, verbose)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def refusal_lines(refused: Document, now: float | None, paint: Paint = plain) -> str:
    """What is wrong with a configuration that the running agent did not take: ``{at, message, problems: [line]}``."""
    since = moment(refused["at"], now)
    head = f"configuration: {paint('error', 'not taken')}, the one before holds since {since}"
    lines = [f"{head}: {clean(str(refused['message']), 300)}"]
    lines += [f"  {clean(str(line), 300)}" for line in refused["problems"][:_LISTED_MAX]]
    return "".join(f"{line}\n" for line in lines)


def sentence(documents: Sequence[Document]) -> str:
    """``1 of 2 targets in sync; 1 resource drifted; sales stalled``."""
    well = sum(1 for document in documents if is_in_sync(document))
    parts = [f"{well} of {counted(len(documents), 'target')} in sync"]
    for word, told in (("drift", "drifted"), ("held", "held"), ("failed", "failed"), ("unknown", "unknown")):
        number = sum(_count(document, word) for document in documents)
        if number:
            parts.append(f"{counted(number, 'resource')} {told}")
    stalled = [clean(str(document.get("target"))) for document in documents if is_stalled(document)]
    if stalled:
        parts.append(f"{', '.join(stalled)} stalled")
    suspended = sum(len(document.get("suspended") or ()) for document in documents)
    if suspended:
        parts.append(f"{counted(suspended, 'suspension')} in force")
    return "; ".join(parts)


def is_in_sync(document: Document) -> bool:
    """Whether every resource of the target is as git says, and the last pass did not fail."""
    return _count(document, "in_sync") == _count(document, "total") and not document.get("error")


def is_stalled(document: Document) -> bool:
    """Whether the target makes no progress until somebody acts, or its last pass failed."""
    conditions = document.get("conditions") or ()
    return bool(document.get("error")) or any(one["type"] == "Stalled" and one["status"] for one in conditions)


def is_pending(document: Document) -> bool:
    """Whether live differs from git in any way that is known."""
    return not is_in_sync(document) or any(_count(document, word) for word in ("drift", "failed", "unknown"))


def _row(document: Document, now: float | None) -> list[str]:
    verified = document.get("verified_p95_seconds")
    windows = document.get("calls_left") or ()
    return [
        clean(str(document.get("target", ""))),
        clean(str(document.get("short") or document.get("revision") or "-"))[:12],
        f"{_count(document, 'in_sync')}/{_count(document, 'total')}",
        str(_count(document, "drift")),
        str(_count(document, "held")),
        str(_count(document, "failed")),
        duration(verified) if verified is not None else "-",
        "  ".join(f"{one['left']}/{window_word(one['window_seconds'])[1]}" for one in windows) or "-",
        moment(document.get("next_look_at"), now),
    ]


def _reasons(document: Document, now: float | None, paint: Paint, verbose: bool) -> list[str]:
    target = clean(str(document.get("target", "")))
    lines = []
    error = document.get("error")
    if error:
        lines.append(f"{target}: {paint('error', 'failed')}: {clean(str(error.get('message')))} [{error.get('code')}]")
    for one in document.get("suspended") or ():
        what = clean(str(one["selector"] or "everything"), 120)
        until = f" until {moment(one['until'], now)}" if one["until"] is not None else ""
        why = f"{clean(str(one['who']), 60)}: {clean(str(one['reason']), 200)}"
        lines.append(f"{target}: {paint('held', 'suspended')} {what}{until} by {why}")
    for word, role in (("failed", "error"), ("held", "held"), ("drift", "drift")):
        listed = document.get(f"{word}_list") or ()
        shown = listed if verbose else listed[:_LISTED_MAX]
        for one in shown:
            reason = clean(str(one.get("message") or one.get("reason") or ""), 200)
            name = clean(f"{one.get('kind')}/{one.get('name')}", 120)
            lines.append(f"{target}: {paint(role, word)} {name}" + (f": {reason}" if reason else ""))
        if len(shown) < len(listed):
            lines.append(f"{target}: {len(listed) - len(shown)} more {word} (-v)")
    lines += [f"{target}: {line}" for line in knowledge_lines(document, verbose=verbose)]
    if verbose:
        for one in document.get("conditions") or ():
            since = f" since {moment(one['since'], now)}" if one.get("since") else ""
            state = "yes" if one["status"] else "no"
            lines.append(
                f"{target}: {one['type']} {state}{since}: {clean(str(one['reason']))} {clean(str(one['message']))}"
            )
    return lines


def _count(document: Document, word: str) -> int:
    return int(document.get(word) or 0)
