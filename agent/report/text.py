"""The plan as text: what would change, why, where it is written and what it costs.

Called by ``diff``, and by ``apply`` before it asks. Equal plans give equal bytes: no clock, no width of a terminal.
The lines of one change are in ``change_text``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from agent.model.change import Action, Change, Plan, digest_of
from agent.model.identity import Key
from agent.report.change_text import MARKS, WORDS, brief, render_apart, render_change
from agent.report.escape import clean
from agent.report.values import Paint, about, counted, moment, plain, window_word
from agent.report.verdicts import said_of

_ORDER = (
    Action.DELETE,
    Action.REPLACE,
    Action.HOLD,
    Action.UPDATE,
    Action.ADOPT,
    Action.CREATE,
    Action.RELEASE,
    Action.NONE,
)
_READS = {"list": "of lists", "read": "by key", "named": "by key", "sweep": "of what was old", "look": "of others"}
_COUNT_WORDS = {Action.HOLD: "held", Action.NONE: "drift reported"}


def render_plans(
    plans: Sequence[Plan],
    *,
    paint: Paint = plain,
    full: bool = False,
    next_verb: str = "apply",
    now: float | None = None,
) -> str:
    """One block a target, then for several the total, and one digest for all. ``next_verb`` "" leaves ``next`` out.

    ``now`` is given on a terminal, where ages are told instead of dates.
    """
    blocks = [render_plan(plan, paint=paint, full=full, now=now) for plan in plans]
    text = "\n".join(blocks)
    if len(plans) > 1 and any(plan.changes for plan in plans):
        text += f"\n{counted(len(plans), 'target')}: {render_counts(plans)}\n"
    if any(plan.writes for plan in plans):
        digest = digest_of(tuple(plans))
        text += f"digest     {digest}\n"
        if next_verb:
            text += f"next       {paint('heading', f'datakeel {next_verb} --expect {digest}')}\n"
    return text


def render_plan(plan: Plan, *, paint: Paint = plain, full: bool = False, now: float | None = None) -> str:
    """The block of one target, without digest."""
    if is_in_sync(plan):
        made_from = counted(plan.calls.read, "call") if not plan.ground else f"made from {_ground(plan, now)}"
        known = f"; {_remembered(plan)}" if plan.remembered else ""
        return f"{clean(plan.target)}: {compared(plan)}, {made_from}{known}\n"
    told = (*plan.changes, *plan.apart)
    scope = _shared_scope(told)
    title = [plan.target, plan.platform.partition("/")[0], *(f"{word} {name}" for word, name in scope)]
    lines = [paint("heading", " · ".join(clean(part) for part in (*title, _revisions(plan)))), ""]
    names = _names(told, short=bool(scope) or not any(change.key.scope for change in told))
    width = max((len(name) for name in names.values()), default=0)
    above = None
    for change in in_order(plan.changes):
        lines += render_change(change, names, width, paint=paint, full=full, now=now, above=above)
        above = change
    if plan.changes:
        lines.append("")
    apart = [change for change in in_order(told) if any(field.apart for field in change.fields)]
    if apart:
        lines.append("not by this change:")
        for change in apart:
            lines += render_apart(change, names, width, paint=paint, full=full)
        lines.append("")
    lines += _footer(plan, full=full)
    if plan.ground:
        lines.append(f"made from  {_ground(plan, now)}")
    lines.append(render_counts([plan]))
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _remembered(plan: Plan) -> str:
    """A change by hand is seen once the content is due to be read again; who asks now should know that, and the way."""
    of = "" if plan.remembered == plan.unchanged else f" of {plan.remembered}"
    return f"content{of} as last read, datakeel diff --fresh reads it now"


def _ground(plan: Plan, now: float | None) -> str:
    age = f" ({moment(plan.ground_at, now)})" if plan.ground_at is not None and now is not None else ""
    return clean(plan.ground) + age


def _revisions(plan: Plan) -> str:
    return f"{plan.revision} against {plan.base}" if plan.base is not None else str(plan.revision)


def compared(plan: Plan) -> str:
    """What a plan without a change looked at. Nothing at all is an empty repository or a mistyped ``--only``."""
    revision = clean(str(plan.revision))
    if plan.base is not None:
        return f"{clean(_revisions(plan))} changes nothing live"
    if not plan.unchanged:
        return f"no resource that was asked for is in {revision} or owned"
    return f"{plan.unchanged} in sync with {revision}"


def is_in_sync(plan: Plan) -> bool:
    """Whether there is nothing to say but that all is well."""
    return plan.complete and not plan.changes and not plan.notes and not plan.apart


def in_order(changes: Iterable[Change]) -> list[Change]:
    """Dangerous first; by key inside an action."""
    rank = {action: number for number, action in enumerate(_ORDER)}
    return sorted(changes, key=lambda change: (rank[change.action], change.key))


def delta(approved: Sequence[str], plans: Sequence[Plan], *, paint: Paint = plain) -> str:
    """What differs from a plan whose :func:`change_lines` were ``approved``: new changes, then those that are gone."""
    now = change_lines(plans)
    lines = [f"  new since approval   {line}" for line in now if line not in set(approved)]
    lines += [f"  no longer planned    {line}" for line in approved if line not in set(now)]
    return "".join(f"{paint('held', line)}\n" for line in lines)


def change_lines(plans: Sequence[Plan]) -> list[str]:
    """One line for each change that would be sent."""
    return [change_line(change) for plan in plans for change in in_order(plan.writes)]


def change_line(change: Change) -> str:
    """``~ update  Service/ingest   service.replicas 9 -> 3   drift``: what is compared with what was approved."""
    head = f"{MARKS[change.action]} {WORDS[change.action]}  {clean(change.key.path)}"
    fields = brief(change) if change.action in (Action.UPDATE, Action.REPLACE) else ""
    return "   ".join(part for part in (head, fields, "" if change.cause == "git" else str(change.cause)) if part)


def _shared_scope(changes: Sequence[Change]) -> tuple[tuple[str, str], ...]:
    scopes = {change.key.scope for change in changes if change.key.scope}
    return next(iter(scopes)) if len(scopes) == 1 else ()


def _names(changes: Sequence[Change], *, short: bool) -> dict[Key, str]:
    keys = {key for change in changes for key in (change.key, *change.hits)}
    return {key: clean(str(key) if short else key.path, 120) for key in keys}


def _footer(plan: Plan, *, full: bool) -> list[str]:
    lines = []
    if plan.suppressed:
        if full:
            lines += [
                f"not shown  {clean(str(one.key))} {clean(one.path)}: {clean(one.why)} ({clean(one.rule)})"
                for one in plan.suppressed
            ]
        else:
            kinds = Counter(one.why for one in plan.suppressed)
            lines.append(
                "not shown  " + ", ".join(f"{n} {clean(why)}" for why, n in sorted(kinds.items())) + " (--full)"
            )
    if plan.strays:
        lines.append(f"not ours   {counted(len(plan.strays), 'live object')} that git does not name; left alone")
    lines += [f"note       {clean(note)}" for note in plan.notes]
    lines += _policy(plan)
    waits = sorted({change.message for change in plan.held if change.reason == "WindowClosed"})
    rest = "; the rest may go now" if plan.writes else ""
    lines += [f"window     {_counted_waits(plan, message)}: {clean(message)}{rest}" for message in waits]
    if not plan.complete:
        lines.append("incomplete not everything could be read; what is unknown is held, and nothing is deleted for it")
    if plan.remembered:
        lines.append(f"unchanged  {_remembered(plan)}")
    lines.append(f"calls      {_calls(plan, full=full)}")
    if plan.budget:
        lines.append(f"budget     {_budget(plan)}")
    return lines


def _policy(plan: Plan) -> list[str]:
    """What rules say. Why a change is held stands below it already; here is which rule, and what mends it."""
    lines = []
    for said in said_of(plan):
        lines.append(f"policy     {clean(said.sentence)}")
        lines += [f"           fix: {clean(said.fix)}"] if said.fix else []
    return lines


def _counted_waits(plan: Plan, message: str) -> str:
    number = sum(1 for change in plan.held if change.message == message)
    return "1 change waits" if number == 1 else f"{number} changes wait"


def _calls(plan: Plan, *, full: bool) -> str:
    calls = plan.calls
    reads = ", ".join(f"{number} {_READS.get(purpose, purpose)}" for purpose, number in calls.reads)
    text = f"{calls.read} to read" + (f" ({reads})" if full and reads else "")
    if not calls.apply_max:
        return text
    return f"{text}; apply needs at most {calls.apply_max}: {calls_by_purpose([plan])}"


def calls_by_purpose(plans: Sequence[Plan]) -> str:
    """What applying may send at the most: ``1 write, 1 look before, 2 confirmations, 10 for readiness``."""
    write, look, confirm, ready, actions = (
        sum(getattr(plan.calls, word) for plan in plans) for word in ("write", "look", "confirm", "ready", "actions")
    )
    parts = [
        (write, counted(write, "write") + (f" ({counted(actions, 'action')} among them)" if actions else "")),
        (look, counted(look, "look before", "looks before")),
        (confirm, counted(confirm, "confirmation")),
        (ready, f"{ready} for readiness"),
    ]
    return ", ".join(words for number, words in parts if number)


def _budget(plan: Plan) -> str:
    several = len({window.credential for window in plan.budget}) > 1
    left = ", ".join(
        f"{window.left} of {window.usable} left {window_word(window.window_seconds)[0]}"
        + (f" for {clean(window.credential)}" if several else "")
        for window in plan.budget
    )
    first = plan.budget[0]
    kept = round(100 * (1 - first.usable / first.limit)) if first.limit else 0
    text = left + (f" ({kept} % kept for people)" if kept else "")
    if plan.calls.apply_max:
        text += f"; done in about {about(plan.seconds_needed)}"
    return text


def render_counts(plans: Sequence[Plan]) -> str:
    """``1 delete, 2 update, 297 unchanged``."""
    counts = [
        f"{number} {_COUNT_WORDS.get(action, action.value)}"
        for action in _ORDER
        if (number := sum(plan.count(action) for plan in plans))
    ]
    unchanged = sum(plan.unchanged for plan in plans)
    apart = sum(len(plan.apart) for plan in plans)
    return ", ".join([*counts, *([f"{apart} not by this change"] if apart else []), f"{unchanged} unchanged"])
