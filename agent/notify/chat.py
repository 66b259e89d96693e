"""One message to a chat or by mail, through apprise, which knows a hundred services by their addresses.

apprise is an extra: it is loaded with the first message. Its own log is switched off, since it tells addresses, and
these are secrets.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

from agent.errors import ConfigError
from agent.model.alert import RESOLVED, Message
from agent.notify.sending import NotSent
from agent.report.cloud_events import title_of, type_of

SECONDS = 30.0
_MILD = frozenset({"drift.found", "delete.held", "token.expiring"})


def require_apprise(sink: str) -> None:
    """Raises ConfigError where the extra is not installed."""
    if find_spec("apprise") is None:
        raise ConfigError(
            f"notifications.sinks.{sink} is a chat, and the package apprise is not installed",
            code="extra-missing",
            fix="pip install 'datakeel[notify]'",
        )


@dataclass(frozen=True, slots=True)
class Chat:
    """``url`` is read at each attempt."""

    url: Callable[[], str]

    async def __call__(self, message: Message) -> None:
        """Raises NotSent."""
        try:
            url = self.url()
        except ConfigError as error:
            raise NotSent(error.what) from error
        try:
            async with asyncio.timeout(SECONDS):
                sent = await asyncio.to_thread(_send, url, message)
        except TimeoutError as error:
            raise NotSent("no answer in time") from error
        if sent is None:
            raise NotSent("its address is none that apprise knows")
        if not sent:
            raise NotSent("the service did not take it")


def _send(url: str, message: Message) -> bool | None:
    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    service = apprise.Apprise()
    if not service.add(url):
        return None
    type_ = type_of(message.event)
    kind = apprise.NotifyType.SUCCESS if type_ == RESOLVED else apprise.NotifyType.FAILURE
    if type_ in _MILD:
        kind = apprise.NotifyType.WARNING
    body = str(message.event["data"]["summary"])
    return bool(service.notify(body=body, title=title_of(message.event), notify_type=kind))
