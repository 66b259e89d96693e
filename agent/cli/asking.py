"""What a person asks of a platform: an action, a query, a series, a log. The verbs call this; it opens, asks, closes.

A call that changes something goes the way of every write: journalled, sent once, never repeated. Everything else only
reads. Built on ``wiring``, which opens the targets.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from agent.apply import actions
from agent.apply.actions import ActionStep, Performed
from agent.apply.recover import Recovery, resolve
from agent.cli.arguments import metric_words, pairs_of, seconds_of, typed
from agent.cli.finding import Asked, Found, find, git_of, metric_of
from agent.cli.opening import open_targets
from agent.cli.options import LogLine, Options, Selector, chosen
from agent.cli.output import tell
from agent.config.model import Config
from agent.definitions.load import load_platform
from agent.definitions.platform import ActionRule, Kind
from agent.errors import Refused, UsageError
from agent.live.actions import Series, ask, only_reads, series_of, words_of
from agent.live.api import WriteApi
from agent.live.log_lines import lines_as_they_come, lines_now
from agent.live.logs import LogLine as LiveLine
from agent.model.identity import Key
from agent.model.outcome import Result
from agent.plan.actions import unconfirmed
from agent.reconcile.target import Target
from agent.report.escape import clean
from agent.validate.findings import nearest, one_of


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of an action: what it came to, and the part of the answer that is for people."""

    key: Key
    name: str
    result: Result
    message: str = ""
    value: Any = None
    status: int | None = None
    code: str = ""


async def run_action(
    config: Config, options: Options, asked: Asked, name: str, *, confirm: Callable[[str], bool]
) -> Answer:
    """``act``: send one action. ``confirm`` is asked about a careful one; Refused when it says no."""
    reading = _only_reads(config, options, asked.selector, name)
    async with open_targets(config, options, writable=not reading) as opened:
        found = find(opened, options, asked)
        rule = _action(found.kind, name)
        args = typed(pairs_of(asked.args, "--arg"), rule.args, f"action `{name}`")
        if not reading:
            await _permit(found, rule, confirm)
        subject = await found.subject(rule)
        if any(word.partition(".")[0] == "spec" for word in words_of(rule)):
            resource = git_of(found.target, opened, options).resources.get(found.key)
            subject = replace(subject, spec=resource.read() if resource is not None else None)
        if reading:
            value = await ask(found.target.api, rule, args, subject)
            return Answer(found.key, name, Result.DONE, value=value)
        return _answer(await _step(found.target).perform(rule, subject, args))


async def forget_action(config: Config, options: Options, asked: Asked, name: str) -> Answer:
    """``act --forget``: a person has looked; the action counts as settled and nothing is sent."""
    async with open_targets(config, options, writable=True) as opened:
        found = find(opened, options, asked)
        store = found.target.store
        open_calls = [
            each.intent
            for each in store.open_intents(found.target.name)
            if each.intent.key == found.key and each.intent.action == actions.PREFIX + name
        ]
        if not open_calls:
            raise UsageError(f"no action `{clean(name, 60)}` of {found.key} is in doubt")
        for intent in open_calls:
            store.close_intent(intent.op_id, Result.UNKNOWN.value, note="settled by a person")
        return Answer(found.key, name, Result.DONE, "settled; nothing was sent")


async def run_query(config: Config, options: Options, name: str, args: Iterable[str]) -> Any:
    """``query``: a read that is not about one object."""
    config = chosen(config, options)
    holders = {
        target.name: platform.queries[name]
        for target in config.targets.values()
        if name in (platform := load_platform(target.platform, extra_folders=config.schemas)).queries
    }
    if not holders:
        known = {
            each
            for target in config.targets.values()
            for each in load_platform(target.platform, extra_folders=config.schemas).queries
        }
        raise UsageError(
            f"there is no query `{clean(name, 60)}`", fix=nearest(name, known) or (one_of(known) if known else None)
        )
    if len(holders) > 1:
        raise UsageError(f"several targets have the query `{name}`", fix=f"--target {min(holders)}")
    target, rule = next(iter(holders.items()))
    values = typed(pairs_of(args, "--arg"), rule.args, f"query `{name}`")
    async with open_targets(config, replace(options, targets=(target,)), writable=False) as opened:
        return await ask(opened.targets[0].api, rule, values)


async def fetch_series(
    config: Config,
    options: Options,
    asked: Asked,
    metric: str | None,
    *,
    period: str | None = None,
    resolution: str | None = None,
) -> tuple[Series, ...]:
    """``metrics``: the series of one object. A kind without metrics has those of the kind that stands in it."""
    async with open_targets(config, options, writable=False) as opened:
        found = find(opened, options, asked)
        wanted: str | None = metric
        if found.kind.metrics is None:
            found, wanted = metric_of(found, metric), None
        rule = found.kind.metrics
        if rule is None:
            raise UsageError(f"{found.kind.name} has no metrics on this platform")
        words = metric_words(rule.args, period, resolution, found.target.clock.now())
        words |= pairs_of(asked.args, "--arg")
        args = typed(words, rule.args, f"{found.kind.name}'s metrics")
        series = await series_of(found.target.api, await found.subject(rule), args)
        kept = tuple(one for one in series if wanted is None or wanted in one.labels.values())
        if wanted is not None and series and not kept:
            labels = {value for one in series for value in one.labels.values()}
            raise UsageError(f"no series is labelled {clean(wanted, 60)}", fix=one_of(labels) if labels else None)
        return kept


async def fetch_logs(
    config: Config, options: Options, asked: Asked, *, since: str | None, tail: int | None, follow: bool
) -> AsyncGenerator[LogLine, None]:
    """``logs``: the platform's own log of one resource, oldest first; with ``follow`` until interrupted or ended."""
    async with open_targets(config, options, writable=False) as opened:
        found = find(opened, options, asked)
        rule = found.kind.logs
        if rule is None:
            raise UsageError(f"{found.kind.name} has no logs on this platform")
        words = pairs_of(asked.args, "--arg")
        if since is not None:
            if "since" not in rule.args:
                raise UsageError(f"--since: the logs of {found.kind.name} cannot be asked for from a moment on")
            seconds_of(since, "--since")  # the platform has its own form of a mistake, and it costs a call
            words["since"] = since
        cut = tail if "tail" not in rule.args else None
        if tail is not None and cut is None:
            words["tail"] = str(tail)
        args = typed(words, rule.args, f"{found.kind.name}'s logs")
        subject = await found.subject(rule)
        target = found.target
        if follow:
            followed = lines_as_they_come(target.api, subject, rule, args, target.clock, random=target.random, last=cut)
            async with aclosing(followed) as lines:
                async for line in lines:
                    yield _line(line)
            tell("the platform ended the log")
            return
        for line in await lines_now(target.api, subject, rule, args, cut):
            yield _line(line)


def _line(line: LiveLine) -> LogLine:
    return LogLine(line.time, line.level, line.text, line.source)


def _only_reads(config: Config, options: Options, selector: Selector, name: str) -> bool:
    """Whether the action changes nothing wherever it is meant, so that nothing must be locked for it."""
    config = chosen(config, options)
    platforms = [load_platform(target.platform, extra_folders=config.schemas) for target in config.targets.values()]
    kinds = [platform.kinds.get(selector.kind or "") for platform in platforms]
    rules = [kind.actions.get(name) for kind in kinds if kind is not None]
    return all(rule is not None and only_reads(rule) for rule in rules)


def _action(kind: Kind, name: str) -> ActionRule:
    rule = kind.actions.get(name)
    if rule is None:
        fix = nearest(name, kind.actions) or (one_of(kind.actions) if kind.actions else None)
        raise UsageError(f"{kind.name} has no action `{clean(name, 60)}`", fix=fix)
    return rule


async def _permit(found: Found, rule: ActionRule, confirm: Callable[[str], bool]) -> None:
    """Confirmed where nobody proved it, nothing in doubt on this object, and a yes where it is careful."""
    target = found.target
    why = unconfirmed(found.kind, rule, target.config.confirmed)
    if why is not None:
        raise Refused(
            f"action `{rule.name}` is not confirmed: {why}",
            code="unverified",
            fix=f"targets.{target.name}.confirmed: [{found.kind.name}.{rule.name}]",
        )
    recovery = Recovery(
        target.store, target.api, target.books, target.secrets.fingerprint, target.config.deadline_seconds
    )
    for opened in target.store.open_intents(target.name):
        if opened.intent.key == found.key:
            resolution = await resolve(recovery, opened, target.clock.now())
            if resolution.state == "open":
                raise Refused(f"{found.key}: {resolution.note}", code="action-open")
    if rule.careful is not None and not confirm(rule.careful):
        raise Refused("not confirmed; nothing was sent", code="not-confirmed")


def _step(target: Target) -> ActionStep:
    api = target.api
    assert isinstance(api, WriteApi)

    def new_id() -> str:
        return str(UUID(int=target.random.getrandbits(128), version=4))

    return ActionStep(
        api, target.store, target.clock, new_id, target.secrets.fingerprint, pass_id=new_id(), revision=""
    )


def _answer(performed: Performed) -> Answer:
    reply = performed.reply
    done = performed.result is Result.DONE
    message = "" if done else performed.message
    if performed.result is Result.UNKNOWN:
        message += "; it is not sent again, and the next look tells more"
    return Answer(
        performed.key,
        performed.name,
        performed.result,
        message,
        performed.value,
        reply.status,
        "" if done else reply.code or reply.answer,
    )
