"""The receivers of webhooks of a running agent, made of the configuration: who may send, and where it goes.

Used by ``listening``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from agent.cli.output import tell
from agent.clock import Clock
from agent.config.checks import is_loopback
from agent.config.model import Address
from agent.errors import ConfigError
from agent.reconcile.inbox import Inbox
from agent.reconcile.target import Target
from agent.secrets import Reader, Reference, Secret

if TYPE_CHECKING:
    from agent.server.keys import Secrets
    from agent.server.receivers import Receiver

SECRET_LENGTH_MIN = 16


def receivers_of(
    targets: Sequence[Target],
    address: Address | None,
    clock: Clock,
    *,
    wake: Callable[[], None],
    learn: Callable[[Secret], None],
) -> tuple[Mapping[str, Inbox], Mapping[str, Receiver]]:
    """By target: the inbox that its platform's events fill, and the receiver that fills it; at ``address``."""
    from agent.server.receivers import Receiver

    inboxes: dict[str, Inbox] = {}
    receivers: dict[str, Receiver] = {}
    for target in targets:
        hook = target.config.hook
        if hook is not None and not target.platform.events:
            raise ConfigError(
                f"target {target.name} has a `hook`, and {target.platform.api_version} sends no events",
                fix=f"remove targets.{target.name}.hook",
            )
        if address is not None and target.platform.events and (hook is not None or is_loopback(address.host)):
            inboxes[target.name] = inbox = Inbox(target.platform, target.config.defaults, clock, wake)
            secrets = None
            if hook is not None:
                secrets = _secrets(f"targets.{target.name}.hook.secret", hook.secret, clock, learn)
            receivers[target.name] = Receiver(target.name, inbox.receive, secrets, clock)
    return inboxes, receivers


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
