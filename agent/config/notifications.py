"""Who is told unasked: the block ``notifications`` of the configuration, checked and as values.

Used by ``config.load``. Pure. Whatever could be a credential is a reference; an address with a key in it, as chats
give them out, is one too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from agent.config.checks import duration_faults, seconds_of, server_faults
from agent.config.faults import Fault, as_text, join
from agent.config.model import USUAL, NotificationsConfig, SinkConfig, WebhookConfig
from agent.config.references import reference_faults, reference_of

_REFERENCES = ("url_from", "secret", "token")


def notification_faults(document: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with ``notifications``. Parts of an unexpected type are left to the schema."""
    block, targets = document.get("notifications"), document.get("targets")
    if not isinstance(block, dict):
        return
    yield from duration_faults(("notifications",), block, ("patience",))
    sinks = block.get("sinks")
    for name, sink in sinks.items() if isinstance(sinks, dict) else ():
        if not isinstance(sink, dict):
            continue
        at = ("notifications", "sinks", str(name))
        yield from _one_of(at, sink, "webhook", "chat")
        if isinstance(sink.get("chat"), dict):
            yield from reference_faults(at, {"chat": sink["chat"]})
        if isinstance(sink.get("webhook"), dict):
            yield from _webhook_faults((*at, "webhook"), sink["webhook"])
        known = targets if isinstance(targets, dict) else {}
        for place, target in enumerate(sink["targets"] if isinstance(sink.get("targets"), list) else ()):
            if isinstance(target, str) and target not in known:
                fix = f"one of: {', '.join(sorted(map(str, known)))}"
                yield Fault(join(*at, "targets", place), "config-invalid", "no such target", as_text(target), fix)


def _webhook_faults(at: tuple[str, ...], webhook: Mapping[str, Any]) -> Iterator[Fault]:
    yield from _one_of(at, webhook, "url", "url_from")
    yield from reference_faults(
        at, {word: webhook[word] for word in ("url_from", "secret", "token") if word in webhook}
    )
    if isinstance(webhook.get("url"), str):
        fix = "an address that holds a key is a secret: url_from: {env: NAME}"
        yield from server_faults(join(*at, "url"), webhook["url"], allow_http=False, word="url", credential=fix)


def _one_of(at: tuple[str, ...], holder: Mapping[str, Any], one: str, other: str) -> Iterator[Fault]:
    if (one in holder) == (other in holder):
        what = (
            f"`{at[-1]}` has both `{one}` and `{other}`" if one in holder else f"`{at[-1]}` needs `{one}` or `{other}`"
        )
        yield Fault(join(*at), "config-invalid", what, fix="keep one of them", at="key")


def notifications_of(block: Mapping[str, Any], folder: Path, withheld: frozenset[str]) -> NotificationsConfig:
    """The checked block."""
    sinks = {name: _sink(sink, folder, withheld) for name, sink in block.get("sinks", {}).items()}
    return NotificationsConfig(seconds_of(block.get("patience", "5m")), sinks)


def _sink(sink: Mapping[str, Any], folder: Path, withheld: frozenset[str]) -> SinkConfig:
    return SinkConfig(
        _webhook(sink["webhook"], folder, withheld) if "webhook" in sink else None,
        reference_of(sink["chat"], folder, withheld) if "chat" in sink else None,
        frozenset(sink["types"]) if "types" in sink else USUAL,
        frozenset(sink["targets"]) if "targets" in sink else None,
    )


def _webhook(webhook: Mapping[str, Any], folder: Path, withheld: frozenset[str]) -> WebhookConfig:
    references = {
        word: reference_of(webhook[word], folder, withheld)
        for word in ("url_from", "secret", "token")
        if word in webhook
    }
    return WebhookConfig(webhook.get("url"), body=webhook.get("body"), **references)
