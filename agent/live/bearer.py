"""Whom a target's credential speaks for, and that it is whoever made what the inventory holds.

A token that was exchanged for another user's, tenant's or workspace's leaves the configuration as it was and finds none
of our objects: each of them would seem to be gone (``design/fault-model.md``, 3.8). Its own word tells, where it is a
web token, or else the platform, where the definition says by which read (``subject``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.errors import Unintelligible
from agent.live.answers import error_of
from agent.live.purpose import Purpose

if TYPE_CHECKING:
    from agent.live.api import ReadApi

_LONGEST = 200


@dataclass(slots=True)
class Bearer:
    """What every call is held against.

    ``is_expected`` judges the subject that a web token tells; None where nobody is expected. ``asked`` is the source of
    the credential of which the platform was asked, and ``subject`` what it told; None before the first time.
    """

    is_expected: Callable[[str], bool] | None = None
    asked: object = None
    subject: str | None = None

    def doubt(self, said: str | None, source: object) -> str | None:
        """Why a credential must not be used until the next pass has looked at it."""
        if said is not None and self.is_expected is not None and not self.is_expected(said):
            return "the credential speaks for another subject than the one that made what the inventory holds"
        if self.asked is not None and source != self.asked:
            return "the credential has changed, and the next pass asks whom it speaks for"
        return None


async def whom(api: ReadApi) -> str | None:
    """Whom the credential of a target speaks for; None where nothing tells.

    At most one call for each credential. Raises LiveError where the platform does not tell, and what
    :meth:`Authorizer.authorize` raises where the credential cannot be had.
    """
    rule, authorizer = api.platform.subject, api.authorizer
    if rule is None:
        return await authorizer.said()
    source, bearer = await authorizer.source(), authorizer.bearer
    if bearer.asked == source and bearer.subject is not None:
        return bearer.subject
    bearer.asked, bearer.subject = source, None
    reply = await api.fetch(api.built(lambda requests: requests.probe(rule.request)), Purpose.PROBE)
    if reply.answer != "ok":
        raise error_of(reply)
    found = rule.is_.search(reply.item)
    if isinstance(found, bool) or not isinstance(found, str | int) or not 0 < len(str(found)) <= _LONGEST:
        raise Unintelligible(f"GET {rule.request.source}: the answer does not tell whom the credential speaks for")
    bearer.subject = str(found)
    return bearer.subject
