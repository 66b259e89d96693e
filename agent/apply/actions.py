"""Actions that change something: journalled before their first byte, sent once, never repeated.

:class:`ActionStep` sends one, for a person (``cli/asking``) or for ``lifecycle.actions`` (:func:`run_due`). An answer
that was lost leaves the intent open. ``recover`` looks at it with :func:`judged` at the head of each pass; what the
live object does not tell stays open until a person says what is so (``datakeel act … --forget``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from agent.apply.classify import TERMINAL
from agent.clock import Clock
from agent.definitions.platform import ActionRule, Kind
from agent.errors import LiveError
from agent.live.actions import Subject, prepare, result_of, subject_of
from agent.live.answers import Reading, refused
from agent.live.api import Reply, WriteApi
from agent.live.purpose import Purpose
from agent.model.canonical import digest
from agent.model.change import Action, Change
from agent.model.identity import Key, uid_of
from agent.model.inventory import Intent, InventoryRow
from agent.model.outcome import Outcome, Result
from agent.plan.actions import DueAction, Generations, ran

PREFIX = "act:"
# Refusals after which another try in the next pass may come out otherwise; any other stands for this generation.
_PASSING = frozenset({"throttled", "unreachable", "unauthenticated", "conflict"})


class Journal(Protocol):
    """The part of the store that actions need."""

    def open_intent(self, intent: Intent, row: InventoryRow | None, applied: Mapping[str, Any] | None) -> None: ...
    def close_intent(self, op_id: str, result: str, *, note: str = "") -> bool: ...
    def sent(self, target: str, op_id: str) -> None: ...
    def target_memory(self, target: str) -> Mapping[str, Any]: ...
    def remember_target(self, target: str, memory: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True, slots=True)
class Performed:
    """What one action came to; ``value`` is the part of the answer that is for people."""

    key: Key
    name: str
    result: Result
    reply: Reply
    value: Any = None

    @property
    def message(self) -> str:
        if self.result is Result.DONE:
            return f"action `{self.name}` was run"
        told = self.reply.message or f"answered {self.reply.answer}"
        if self.result is Result.UNKNOWN:
            return f"the answer to action `{self.name}` was lost: {told}"
        return f"action `{self.name}` was refused: {told}"

    def outcome(self) -> Outcome:
        """The same for a report. ``NONE`` with the reason ``Action``: nothing of the plan was sent."""
        code = "" if self.result is Result.DONE else self.reply.code or self.reply.answer
        return Outcome(
            Change(self.key, Action.NONE, reason="Action", message=self.message),
            self.result,
            code=code,
            message=self.message,
            status=self.reply.status,
            terminal=self.reply.answer in TERMINAL,
        )


class ActionStep:
    """Journalled actions on one target. ``new_id`` yields unique operation ids, ``fingerprint`` keyed hashes."""

    def __init__(
        self,
        api: WriteApi,
        journal: Journal,
        clock: Clock,
        new_id: Callable[[], str],
        fingerprint: Callable[[Any], str],
        *,
        pass_id: str,
        revision: str,
    ) -> None:
        self.api = api
        self.journal = journal
        self._clock = clock
        self._new_id = new_id
        self._fingerprint = fingerprint
        self._pass_id = pass_id
        self._revision = revision

    async def perform(
        self,
        rule: ActionRule,
        subject: Subject,
        args: Mapping[str, Any],
        remember: Callable[[bool], None] = lambda may_have_run: None,
    ) -> Performed:
        """Journal, send once, classify. Killed anywhere in between, the intent stays open.

        ``remember(True)`` is called once the intent is durable, ``remember(False)`` before it is closed when nothing
        was done and another try may succeed.
        """
        prepared = prepare(self.api, rule, args, subject)
        if prepared.refusal:
            remember(True)
            return Performed(subject.key, rule.name, Result.NOT_DONE, refused(prepared.reading, prepared.refusal))
        intent = Intent(
            op_id=self._new_id(),
            pass_id=self._pass_id,
            key=subject.key,
            action=PREFIX + rule.name,
            method=prepared.method,
            path=prepared.template,
            uid=uid_of(self.api.platform.name, subject.key),
            server_id=subject.server_id,
            request_hash=digest(self._fingerprint([dict(args)])),
            base_hash=self._fingerprint([subject.live]) if subject.live is not None else None,
            revision=self._revision,
            opened_at=self._clock.now(),
        )
        self.journal.open_intent(intent, None, None)
        remember(True)
        reply = await self.api.send(prepared, Purpose.WRITE)
        result = Result.DONE if reply.answer == "ok" else Result.NOT_DONE
        if reply.landed == "unknown":
            result = Result.UNKNOWN
            self.journal.sent(subject.key.target, intent.op_id)
        else:
            if result is Result.NOT_DONE and reply.answer in _PASSING:
                remember(False)
            self.journal.close_intent(intent.op_id, result.value, note=reply.message)
        value = result_of(rule, reply) if result is Result.DONE else None
        return Performed(subject.key, rule.name, result, reply, value)


async def run_due(
    step: ActionStep, due: Sequence[DueAction], rows: Mapping[Key, InventoryRow], read: Callable[[Key], Any]
) -> tuple[Performed, ...]:
    """Run what is due, one after the other. ``read`` yields the spec that git has, for actions that speak of it.

    Each is remembered before it is sent, so that a crash never runs it twice.
    """
    performed = []
    for action in due:
        kind = step.api.platform.kinds[action.key.kind]
        rule, row = kind.actions[action.name], rows.get(action.key)
        try:
            subject = await subject_of(step.api, kind, action.key, rule, row.server_id if row is not None else None)
        except LiveError as error:
            reply = replace(
                refused(Reading(rule.method, rule.request.source, writes=True), error.what), answer="broken"
            )
            performed.append(Performed(action.key, action.name, Result.NOT_DONE, reply))
            continue
        subject = replace(subject, spec=read(action.key))
        performed.append(await step.perform(rule, subject, action.args, _remembering(step.journal, action)))
    return tuple(performed)


def remember_generations(journal: Journal, target: str, generations: Generations) -> None:
    """Keep what was run in the target's memory, beside what else is there."""
    memory = journal.target_memory(target)
    if memory.get("actions", {}) != generations:
        journal.remember_target(target, {**memory, "actions": generations})


def _remembering(journal: Journal, action: DueAction) -> Callable[[bool], None]:
    target = action.key.target
    before: Generations = journal.target_memory(target).get("actions", {})

    def remember(may_have_run: bool) -> None:
        remember_generations(journal, target, ran(before, action) if may_have_run else before)

    return remember


def judged(
    kind: Kind, intent: Intent, reply: Reply, doubtful: bool, fingerprint: Callable[[Any], str]
) -> tuple[Literal["landed", "not landed", "open"], str]:
    """What the live object tells of an action whose answer was lost.

    ``done`` proves it on an object that is no longer what it was before; an object that is gone ends the question.
    """
    name = intent.action.removeprefix(PREFIX)
    lost = lost_answer(intent)
    decide = decision(intent)
    if reply.answer == "notFound" and not doubtful:
        return ("landed", "answer lost; its object is gone") if intent.method == "DELETE" else ("not landed", "gone")
    if reply.answer != "ok":
        return "open", f"{lost}, and its object cannot be read: {reply.message or reply.answer}; {decide}"
    rule = kind.actions.get(name)
    if rule is None or rule.done is None:
        return "open", f"{lost}, and nothing in the live object tells whether it was done; {decide}"
    if rule.done.holds(reply.item) and fingerprint([reply.item]) != intent.base_hash:
        return "landed", "answer lost; the live object shows that it was done"
    return "open", f"{lost}, and the live object does not show it yet; {decide}"


def named(intent: Intent) -> str:
    """``an update``, or ``action `run```: how a sentence names what an intent wanted."""
    name = intent.action.removeprefix(PREFIX)
    if name != intent.action:
        return f"action `{name}`"
    return f"an {name}" if name[:1] in "aeiou" else f"a {name}"


def lost_answer(intent: Intent) -> str:
    """How a sentence begins about an intent whose answer nobody heard."""
    return f"the answer to {named(intent)} was lost"


def decision(intent: Intent) -> str:
    """What a person does about an action that nothing but a person can settle."""
    name = intent.action.removeprefix(PREFIX)
    return f"look at what it did, then: datakeel act {intent.key.path} {name} --forget"
