"""One target's platform, asked by reads: does it answer, whom does it let in, what may be read, what is its form?

Called by ``examine``. Counted, within the budget and at most as many calls as allowed; nothing is retried for the sake
of an answer, and what could not be asked is told as such.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from agent.cli.doctoring.around import failed
from agent.cli.doctoring.lists import Lists
from agent.cli.finding import git_of
from agent.cli.known_scopes import scopes_of
from agent.cli.opening import Opened
from agent.cli.options import Options
from agent.definitions.platform import Kind
from agent.definitions.scope import list_words
from agent.errors import AgentError, SourceError, UsageError
from agent.live.answers import Reply, error_of
from agent.live.api import ReadApi
from agent.live.purpose import Purpose
from agent.live.rows import id_of, identity_of
from agent.model.examined import Finding
from agent.model.identity import Key
from agent.probing import answers
from agent.probing.walk import Scope, Walked, walk
from agent.reconcile.target import Target
from agent.report.values import counted, duration

SCOPES_MAX = 2
"""Of one kind; what holds in two of them holds in all."""
_SOON_SECONDS = 20.0
_LOOKS_SECONDS = 0.2
PATIENCE_SECONDS = 20.0
"""How long the first answer may take, with its repetitions: a person waits for it."""


@dataclass(slots=True)
class Examined:
    """What came of one target: findings in order, facts to remember, lists as they were walked, and how many calls."""

    target: Target
    findings: list[Finding] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    walked: list[Walked] = field(default_factory=list)
    read: list[tuple[Kind, Reply]] = field(default_factory=list)
    calls: int = 0

    @property
    def kept(self) -> dict[str, Any]:
        """What is as true tomorrow: nothing of clocks, of tokens, or of what is left of a limit."""
        return {name: self.facts[name] for name in ("lists", "rate_limit") if self.facts.get(name)}

    def add(self, finding: Finding | None) -> None:
        if finding is not None:
            self.findings.append(replace(finding, subject=self.target.name))
            self.facts.update(finding.facts)


async def examine_platform(opened: Opened, options: Options, most: int) -> Examined:
    """All checks of the only target that is open, with at most ``most`` calls. What a platform does is never raised."""
    target = opened.targets[0]
    found = Examined(target)
    wait = target.api.budget.wait_needed(Purpose.IMPORT, 1)
    if wait > _SOON_SECONDS:
        said = f"no call is left for {duration(wait)}: others have used this minute or hour, so nothing was asked"
        found.add(Finding("limits", "warn", said, "ask again then"))
        return found
    try:
        places = list(_places(found, opened, options))
        if await _is_let_in(found, places):
            await _look_around(found, places, most)
    finally:
        found.calls = sum(target.api.calls.values())
    return found


async def _is_let_in(found: Examined, places: Sequence[tuple[Kind, Scope]]) -> bool:
    """Whether the platform answers and takes the credential; and what its first answer tells beside."""
    target = found.target
    api, clock = target.api, target.clock
    if target.platform.probe is None and not places:
        said = f"{api.server}: the definition names no `probe`, and there is no list to ask"
        found.add(Finding("platform", "warn", said, "`probe: GET /…` in platform.yaml"))
        return False
    before = clock.now()
    reply = await _in_time(api, _first_answer(api, places))
    if reply is None:
        found.add(_late(target))
        return False
    after = clock.now()
    if reply.status is None and reply.answer in ("unreachable", "broken"):
        fix = f"is targets.{target.name}.server right, and may this machine reach it (names, firewall, proxy, ca_file)?"
        found.add(Finding("platform", "bad", f"{api.server} does not answer: {reply.message}", fix))
        return False
    for finding in _told_by(found, reply, before, after):
        found.add(finding)
    return reply.answer in ("ok", "denied", "notFound", "invalid")


async def _first_answer(api: ReadApi, places: Sequence[tuple[Kind, Scope]]) -> Reply:
    if api.platform.probe is not None:
        return await api.prove_credential()
    return (await walk(api, *places[0], pages_max=1)).first


async def _in_time(api: ReadApi, asking: Coroutine[Any, Any, Reply]) -> Reply | None:
    """The answer; None once it is clear that it will take too long: the budget is told to wait for longer than that."""
    loop = asyncio.get_running_loop()
    task, ends = loop.create_task(asking), loop.time() + PATIENCE_SECONDS
    try:
        while (left := ends - loop.time()) > 0:
            done, _ = await asyncio.wait({task}, timeout=min(left, _LOOKS_SECONDS))
            if done:
                return task.result()
            if api.budget.wait_needed(Purpose.IMPORT) > left:
                break
        return None
    finally:
        task.cancel()


def _late(target: Target) -> Finding:
    """Why the first answer did not come in time: the platform asked us to wait, or it is slow."""
    api = target.api
    wait = api.budget.wait_needed(Purpose.IMPORT)
    if api.budget.throttled:
        said = f"{api.server} refuses all calls for now (429), and wants {duration(wait)} of peace"
        return Finding("platform", "warn", said, "wait; who else uses this token? `reserve` leaves more to people")
    fix = f"is it overloaded, or something between? targets.{target.name}.deadline says how long a call may take"
    return Finding("platform", "bad", f"{api.server} has not answered within {PATIENCE_SECONDS:.0f} s", fix)


def _told_by(found: Examined, reply: Reply, before: float, after: float) -> Iterator[Finding | None]:
    target = found.target
    platform, server, now = target.platform, target.api.server, target.clock.now()
    what = error_of(reply).what if reply.answer != "ok" else ""
    if reply.answer in ("throttled", "broken"):
        yield Finding("platform", "warn" if reply.answer == "throttled" else "bad", f"{server}: {what}", _fix(reply))
    elif reply.answer in ("ok", "unauthenticated"):
        yield Finding("platform", "ok", f"{server} answers")
    else:
        yield Finding(
            "platform", "warn", f"{server}: the probe is refused: {what}", "is `probe` of platform.yaml right?"
        )
    yield answers.clock(reply.headers, before, after)
    names = _credential(found.target)
    ends = _ends(found, reply, now)
    if reply.answer == "unauthenticated":
        why = answers.expiry(names, ends, now) if ends is not None and ends <= now else None
        said = why.said if why is not None else f"{names} is not accepted: {reply.message or 'no reason given'}"
        yield Finding("credential", "bad", said, "make a new token, and put it where the reference leads")
    elif reply.answer == "ok":
        yield answers.expiry(names, ends, now)
    if reply.answer not in ("ok", "throttled"):
        return
    windows = target.config.budget if target.config.budget is not None else platform.budget.windows
    yield answers.limits(platform.budget, windows, reply.headers, now, target.name)


def _fix(reply: Reply) -> str | None:
    if reply.answer == "throttled":
        return "wait; who else uses this token? `reserve` leaves more of the limit to people"
    return "is something else at this address: a proxy, a page to sign in, another path?"


def _credential(target: Target) -> str:
    """The references of the scheme that is used, as people call them: the variable, the file, the command."""
    held = target.config.credentials
    scheme = next((each for each in target.platform.auth if all(name in held for name in each.secrets)), None)
    references = [held[name] for name in scheme.secrets] if scheme is not None else []
    return " and ".join(str(each.value) if each.kind == "env" else str(each) for each in references) or "no credential"


def _ends(found: Examined, reply: Reply, now: float) -> float | None:
    ends = [*found.target.api.authorizer.expiries.values()]
    told = answers.expiry_told(reply.headers, now)
    return min([*ends, *([told] if told is not None else [])], default=None)


async def _look_around(found: Examined, places: Sequence[tuple[Kind, Scope]], most: int) -> None:
    """All lists, those of kinds that somebody names first, then one object of each; then questions."""
    target, api = found.target, found.target.api
    lists = Lists(found.target, most)
    for kind, scope in places:
        if lists.room < 1:
            lists.unasked.append(kind.name)
            continue
        walked = await walk(api, kind, scope, pages_max=min(3, lists.room))
        lists.take(walked)
        if walked.first.answer in ("unreachable", "unauthenticated"):
            break
    found.walked = lists.walked
    for walked in lists.readable:
        if walked.kind.get is not None and walked.rows and lists.left > 0:
            row = walked.rows[0]
            key, server_id = _named(target, walked, row)
            if key is not None:
                found.read.append((walked.kind, await api.get(walked.kind, key, server_id, Purpose.IMPORT)))
    await lists.ask()
    for finding in lists.findings(found.read):
        found.add(finding)
    found.facts["lists"] = lists.facts


def _named(target: Target, walked: Walked, row: Any) -> tuple[Key | None, str | None]:
    if not isinstance(row, dict):
        return None, None
    identity = identity_of(walked.kind, row, dict(walked.scope), list_words(walked.kind))
    if not isinstance(identity, tuple):
        return None, None
    return Key(target.name, walked.kind.name, identity[1], identity[0]), id_of(walked.kind, row)


def _places(found: Examined, opened: Opened, options: Options) -> Iterator[tuple[Kind, Scope]]:
    """Where kinds can be listed: those that somebody names first."""
    target = found.target
    known = set(target.store.rows(target.name))
    try:
        git = git_of(target, opened, options)
        known |= {*git.resources, *git.broken, *git.required}
    except SourceError:
        pass  # told by the check of git
    except AgentError as error:
        found.add(failed("manifests", error))
    named = {key.kind for key in known}
    kinds = [kind for kind in target.platform.kinds.values() if kind.list is not None]
    unplaced = []
    for kind in sorted(kinds, key=lambda kind: kind.name not in named):
        try:
            scopes = scopes_of(target.platform, kind, known, {}, target.config.defaults, related=True)
        except UsageError:
            unplaced.append(kind.name)
            continue
        for scope in scopes[:SCOPES_MAX]:
            yield kind, scope
    if unplaced:
        said = f"{counted(len(unplaced), 'kind')} not asked, for where to look is not known: {', '.join(unplaced[:8])}"
        found.add(Finding("scopes", "ok", said))
