"""Webhooks of a forge: a push to what is followed means "look at git now", and nothing else that it says is believed.

The receiver drops bodies in; the loop is woken at most once a second, and looks at git before it looks at anything
else: a push that was told again, or that brought nothing, costs that look and no pass.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from agent.clock import Clock
from agent.config.model import SourceConfig
from agent.live.strict_json import loads

Received = Literal["accepted", "ignored", "malformed"]

APART_SECONDS = 1.0
_PUSHES = frozenset({"push", "push hook", "tag push hook", "repo:push"})
_SYSTEM = "system hook"  # says in its body what it is about
_KINDS = frozenset({"push", "tag_push", "repository_update"})


class Pushes:
    """The pushes of one source. ``wake`` is called when there may be something new; within one event loop.

    ``counts`` are bodies by what became of them: accepted, ignored (another event, branch or repository), malformed.
    """

    def __init__(self, source: SourceConfig, clock: Clock, wake: Callable[[], None]) -> None:
        self.counts: Counter[str] = Counter()
        self._source = source
        self._clock = clock
        self._wake = wake
        self._woke_at = -math.inf
        self._waits = False

    def receive(self, body: bytes, event: str) -> Received:
        """``event`` is what the sender calls it; empty for one that calls it nothing."""
        word = self._judged(body, event.strip().lower())
        self.counts[word] += 1
        if word == "accepted" and not self._waits:
            self._waits = True
            wait = max(0.0, self._woke_at + APART_SECONDS - self._clock.monotonic())
            asyncio.get_running_loop().call_later(wait, self._look)
        return word

    def _look(self) -> None:
        self._waits = False
        self._woke_at = self._clock.monotonic()
        self._wake()

    def _judged(self, body: bytes, event: str) -> Received:
        try:
            told = loads(body)
        except ValueError:
            return "malformed"
        if not isinstance(told, dict):
            return "malformed"
        if event == _SYSTEM:
            event = "push" if told.get("object_kind") in _KINDS else event
        if event and event not in _PUSHES:
            return "ignored"
        ref = told.get("ref")
        if ref is None and (not event or event == "repo:push"):
            return "accepted"  # who only knows that there is something new
        if not isinstance(ref, str):
            return "malformed"
        return "accepted" if self._is_followed(ref, told) and self._is_ours(told) else "ignored"

    def _is_followed(self, ref: str, told: Mapping[str, Any]) -> bool:
        source = self._source
        if source.commit is not None:
            return False  # it stays where it is
        if source.tag is not None:
            return ref == f"refs/tags/{source.tag}"
        branch = (
            source.branch or _word(told, "repository", "default_branch") or _word(told, "project", "default_branch")
        )
        return ref == f"refs/heads/{branch}" if branch else ref.startswith("refs/heads/")

    def _is_ours(self, told: Mapping[str, Any]) -> bool:
        """By the name behind the host. Where either side names none, it may be."""
        name = _word(told, "repository", "full_name") or _word(told, "project", "path_with_namespace")
        if self._source.url is None or not name:
            return True
        path = urlsplit(self._source.url).path.strip("/").removesuffix(".git").lower()
        return f"/{path}".endswith(f"/{name.strip('/').lower()}")


def _word(told: Mapping[str, Any], *names: str) -> str:
    value: Any = told
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
