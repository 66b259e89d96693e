"""The receivers of webhooks of a running agent, made of the configuration: who may send, and where it goes.

Used by ``listening``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from agent.cli.output import tell
from agent.clock import Clock
from agent.config.checks import is_loopback
from agent.config.model import Address, HookConfig, SourceConfig
from agent.errors import ConfigError
from agent.reconcile.inbox import Inbox
from agent.reconcile.pushes import Pushes
from agent.reconcile.target import Target
from agent.secrets import Reader, Reference, Secret

if TYPE_CHECKING:
    from agent.server.keys import Secrets
    from agent.server.receivers import Receiver

SECRET_LENGTH_MIN = 16


def receivers_of(
    targets: Sequence[Target],
    source: SourceConfig,
    address: Address | None,
    clock: Clock,
    *,
    wake: Callable[[str], None],
    learn: Callable[[Secret], None],
) -> tuple[Mapping[str, Inbox], Sequence[Receiver]]:
    """By target the inbox that its platform's events fill; and what receives at ``address``, the forge's pushes too.

    ``wake`` is given the reason. Without a secret only this machine may send.
    """
    from agent.server.proofs import FORGE
    from agent.server.receivers import Receiver

    here = address is not None and is_loopback(address.host)
    inboxes: dict[str, Inbox] = {}
    receivers: list[Receiver] = []

    def secrets_of(called: str, hook: HookConfig | None) -> Secrets | None:
        return _secrets(called, hook.secret, clock, learn) if hook is not None else None

    for target in targets:
        hook = target.config.hook
        if hook is not None and not target.platform.events:
            raise ConfigError(
                f"target {target.name} has a `hook`, and {target.platform.api_version} sends no events",
                fix=f"remove targets.{target.name}.hook",
            )
        if address is not None and target.platform.events and (hook is not None or here):
            inboxes[target.name] = inbox = Inbox(target.platform, target.config.defaults, clock, lambda: wake("event"))
            secrets = secrets_of(f"targets.{target.name}.hook.secret", hook)
            take = lambda body, event, inbox=inbox: inbox.receive(body)  # noqa: E731
            receivers.append(Receiver(f"platform/{target.name}", take, secrets, clock))
    if address is not None and (source.hook is not None or here):
        pushes = Pushes(source, clock, lambda: wake("push"))
        secrets = secrets_of("source.hook.secret", source.hook)
        receivers.append(Receiver("git/source", pushes.receive, secrets, clock, FORGE))
    return inboxes, receivers


def other_inboxes(targets: Sequence[Target], clock: Clock, wake: Callable[[str], None]) -> dict[str, Inbox]:
    """An inbox for each target whose platform sends events: they may come by way of another agent."""
    return {
        target.name: Inbox(target.platform, target.config.defaults, clock, lambda: wake("event"))
        for target in targets
        if target.platform.events
    }


def _secrets(called: str, reference: Reference, clock: Clock, learn: Callable[[Secret], None]) -> Secrets:
    from agent.server.keys import Secrets

    return Secrets(word_of(called, reference), clock, lambda text: learn(Secret(text)))


def word_of(called: str, reference: Reference) -> Callable[[], str]:
    """How a secret that others must know is read; one that could be guessed is refused."""
    reader = Reader(reference, warn=tell)

    def read() -> str:
        secret = reader().reveal()
        if len(secret) < SECRET_LENGTH_MIN:
            raise ConfigError(
                f"{called} has less than {SECRET_LENGTH_MIN} characters",
                code="credential-invalid",
                fix="openssl rand -hex 24 makes one that nobody guesses",
            )
        return secret

    return read
