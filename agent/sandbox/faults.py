"""Faults as values: rules that say which requests go wrong, and how.

Rules are added in process (`world.faults.add(...)`) or over HTTP (`PUT /_sandbox/faults`), by name or in full:

    {"fault": "answer-lost", "method": "POST", "times": 1}
    {"do": "answer", "status": 503, "after": true, "path": "/v1/resources/*", "probability": 0.1, "label": "A15"}

This module decides which rules a request meets; :mod:`agent.sandbox.fault_effects` carries them out.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from agent.sandbox.messages import Request

ACTIONS = frozenset(
    {"answer", "reset", "delay", "drip", "cut", "stale", "dropQuery", "shift"}
    | {"truncate", "duplicate", "set", "add", "remove", "replace"}
)

_PROXY_PAGE = "<html><head><title>Sign in</title></head><body>Please sign in to continue.</body></html>"

NAMED: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "server-error": ({"do": "answer", "status": 500},),
    "server-error-after": ({"do": "answer", "status": 500, "after": True},),
    "unavailable": ({"do": "answer", "status": 503, "body": _PROXY_PAGE, "content_type": "text/html"},),
    "request-timeout": ({"do": "answer", "status": 408, "body": "", "content_type": "text/plain"},),
    "html": ({"do": "answer", "status": 200, "body": _PROXY_PAGE, "content_type": "text/html"},),
    "html-after": ({"do": "answer", "status": 200, "body": _PROXY_PAGE, "content_type": "text/html", "after": True},),
    "not-found": ({"do": "answer", "status": 404},),
    "forbidden": ({"do": "answer", "status": 403},),
    "unauthorized": ({"do": "answer", "status": 401},),
    "rate-limited": ({"do": "answer", "status": 429, "seconds": 5},),
    "redirect": ({"do": "answer", "status": 307, "body": "", "headers": {"location": "https://other.example.com/v1"}},),
    "reset": ({"do": "reset"},),
    "answer-lost": ({"do": "reset", "after": True},),
    "cut": ({"do": "cut", "share": 0.5},),
    "slow": ({"do": "delay", "seconds": 60.0},),
    "late": ({"do": "delay", "seconds": 60.0, "after": True},),
    "drip": ({"do": "drip", "count": 1, "seconds": 1.0},),
    "stale": ({"do": "stale", "seconds": 30.0},),
    "short-list": ({"do": "truncate", "count": 1},),
    "empty-list": ({"do": "truncate", "count": 0}, {"do": "set", "at": "@total", "value": 0}),
    "wrong-total": ({"do": "add", "at": "@total", "count": 7},),
    "duplicated-row": ({"do": "duplicate"},),
    "shifted-page": ({"do": "shift", "count": 1},),
    "null-rows": ({"do": "set", "at": "@rows", "value": None},),
    "other-identity": ({"do": "set", "at": "/name", "value": "someone-elses"},),
    "other-workspace": ({"do": "set", "at": "/workspace", "value": "elsewhere"},),
    "duplicate-keys": ({"do": "replace", "old": "{", "new": '{"name":"first","name":"second",'},),
    "broken-json": ({"do": "replace", "old": ":", "new": ":NaN,:"},),
    "filter-ignored": ({"do": "dropQuery", "names": ("type", "workspace")},),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """Which requests (all of the first seven must hold), and what happens to them."""

    do: str
    method: tuple[str, ...] = ()
    """Empty: any."""
    path: str = "*"
    """Glob on the path as sent, without its query."""
    agent: str = ""
    """Part of the User-Agent."""
    calls: tuple[int, ...] = ()
    """Which of the requests that match so far, counted from 1; empty: each."""
    times: int | None = None
    """At most so often."""
    probability: float = 1.0
    label: str = ""
    after: bool = False
    """The request has its effect first: its commit stands, its answer is what goes wrong."""
    status: int = 500
    body: Any = None
    """Text as it is, anything else as JSON; None: the platform's own body for that status."""
    content_type: str = "application/json"
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    seconds: float = 0.0
    count: int = 1
    share: float = 0.5
    at: str = ""
    """Pointer into the answer; `@rows` and `@total` are the platform's own places for them."""
    value: Any = None
    old: str = ""
    new: str = ""
    names: tuple[str, ...] = ()

    def matches(self, request: Request) -> bool:
        return (
            (not self.method or request.method in self.method)
            and (self.path == "*" or fnmatchcase(request.path, self.path))
            and self.agent in request.agent
        )


@dataclass(frozen=True, slots=True)
class Played:
    """A fault that happened: what a simulation counts to know that none is only a wish."""

    label: str
    time: float
    request: int


class Faults:
    """The rules in force. Each decision is drawn from one seeded source, in the order of the requests."""

    def __init__(self, random_source: random.Random) -> None:
        self.rules: list[Rule] = []
        self.played: list[Played] = []
        self.choose: Callable[[Request], Iterable[Rule]] | None = None
        """A simulation's own choice, asked besides the rules."""
        self._random = random_source
        self._matched: dict[int, int] = {}
        self._fired: dict[int, int] = {}

    def add(self, *rules: Rule | Mapping[str, Any]) -> None:
        """Add rules, or documents that describe them. ValueError for a word that is not known."""
        for rule in rules:
            self.rules.extend([rule] if isinstance(rule, Rule) else read_rules(rule))

    def replace(self, rules: Sequence[Rule | Mapping[str, Any]]) -> None:
        """Exactly these from now on; nothing changes when one of them is wrong."""
        read = [each for rule in rules for each in ([rule] if isinstance(rule, Rule) else read_rules(rule))]
        self.clear()
        self.rules = read

    def clear(self) -> None:
        """No faults any more; what was played stays written down."""
        self.rules = []
        self._matched.clear()
        self._fired.clear()

    def met_by(self, request: Request) -> tuple[Rule, ...]:
        """The rules that this request meets, in the order in which they were added."""
        if not self.rules and self.choose is None:
            return ()
        met = [rule for position, rule in enumerate(self.rules) if self._is_due(position, rule, request)]
        if self.choose is not None:
            met.extend(self.choose(request))
        self.played.extend(Played(rule.label or rule.do, request.time, request.number) for rule in met)
        return tuple(met)

    def _is_due(self, position: int, rule: Rule, request: Request) -> bool:
        if not rule.matches(request):
            return False
        count = self._matched[position] = self._matched.get(position, 0) + 1
        if rule.calls and count not in rule.calls:
            return False
        if rule.times is not None and self._fired.get(position, 0) >= rule.times:
            return False
        if rule.probability < 1 and self._random.random() >= rule.probability:
            return False
        self._fired[position] = self._fired.get(position, 0) + 1
        return True


_FIELDS = {each.name: each for each in dataclasses.fields(Rule)}
_MATCHING = frozenset({"method", "path", "agent", "calls", "times", "probability", "label"})


def read_rules(document: Mapping[str, Any]) -> list[Rule]:
    """A rule's document, or a named fault with where it applies. ValueError in words for a person."""
    words = dict(document)
    named = words.pop("fault", None)
    for word in words:
        if word not in _FIELDS:
            raise ValueError(f"no word {word!r} in a fault; there are {', '.join(sorted(_FIELDS))}")
    for word in ("method", "calls", "names"):
        if word in words:
            value = words[word]
            words[word] = tuple(value) if isinstance(value, list | tuple) else (value,)
    if named is None:
        return [_rule(words)]
    if named not in NAMED:
        raise ValueError(f"no fault is named {named!r}; there are {', '.join(sorted(NAMED))}")
    matching = {word: value for word, value in words.items() if word in _MATCHING}
    tuned = {word: value for word, value in words.items() if word not in _MATCHING}
    first, *rest = NAMED[named]
    label = {"label": words.get("label", named)}
    return [_rule({**first, **matching, **tuned, **label}), *(_rule({**each, **matching, **label}) for each in rest)]


def _rule(words: Mapping[str, Any]) -> Rule:
    if words.get("do") not in ACTIONS:
        raise ValueError(f"a fault must `do` one of {', '.join(sorted(ACTIONS))}")
    return Rule(**words)
