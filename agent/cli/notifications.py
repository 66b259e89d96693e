"""Alerts, outbox and sinks of a running agent, made of the configuration in force. Used by ``at_work``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.cli.opening import Bench
from agent.cli.output import scrubbed_members, tell
from agent.config.model import NotificationsConfig, SinkConfig
from agent.notify.sending import Sender, Sink
from agent.reconcile.alerts import Alerts, Wants
from agent.secrets import Reader, Reference


@dataclass(slots=True)
class Notifications:
    """``take`` lays another configuration in; what is made of it is asked for anew each time."""

    bench: Bench
    config: NotificationsConfig
    sinks: Mapping[str, Sink] = field(default_factory=dict)
    wants: tuple[Wants, ...] = ()
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.take(self.config)

    def take(self, config: NotificationsConfig) -> None:
        """Raises ConfigError for a sink that needs what is not installed."""
        sinks = {name: self._sink(name, sink) for name, sink in config.sinks.items()}
        self.config, self.sinks = config, sinks
        self._count()
        self.wants = tuple(Wants(name, sink.types, sink.targets) for name, sink in config.sinks.items())

    def made(self, counts: Counter[tuple[str, str]]) -> tuple[Alerts, Sender]:
        """What is called after each pass, and what runs beside the loop; ``counts`` are attempts by sink and result."""
        bench, self.counts = self.bench, counts
        self._count()
        sender = Sender(bench.store, lambda: self.sinks, bench.clock, bench.chance, counts)
        alerts = Alerts(
            bench.store, lambda: self.wants, lambda: self.config.patience_seconds, _without_secrets, sender.wake
        )
        return alerts, sender

    def _count(self) -> None:
        """A rate is told only of what was there before it grew: so every sink is there from the beginning."""
        for name in self.sinks:
            self.counts.update({(name, "sent"): 0, (name, "failed"): 0})

    def _sink(self, name: str, sink: SinkConfig) -> Sink:
        if sink.chat is not None:
            from agent.notify.chat import Chat, require_apprise

            require_apprise(name)
            return Chat(self._reader(sink.chat))
        from agent.notify.webhook import Webhook

        webhook = sink.webhook
        assert webhook is not None
        url = webhook.url or ""
        return Webhook(
            self._reader(webhook.url_from) if webhook.url_from is not None else lambda: url,
            self.bench.clock,
            self._reader(webhook.secret) if webhook.secret is not None else None,
            self._reader(webhook.token) if webhook.token is not None else None,
            webhook.body,
        )

    def _reader(self, reference: Reference) -> Callable[[], str]:
        reader = Reader(reference, warn=tell, learn=self.bench.redactor.add)
        return lambda: reader().reveal()


def _without_secrets(event: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = scrubbed_members(event)
    return found
