"""The receivers of a running agent: made of the configuration, open as long as it runs. Nothing listens unasked.

Used by ``wiring`` for ``run``. Inboxes and receivers are joined here and nowhere else: the server knows no pass, and
the loop knows no HTTP.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from agent.cli.output import tell
from agent.clock import Clock
from agent.config.checks import is_loopback
from agent.config.listen import UNGUARDED_FIX, is_guarded
from agent.config.model import HookConfig
from agent.errors import ConfigError
from agent.reconcile.inbox import Inbox
from agent.reconcile.target import Target
from agent.secrets import Reader, Secret

if TYPE_CHECKING:
    from agent.server.receivers import Receiver

SECRET_LENGTH_MIN = 16


@asynccontextmanager
async def listening(
    listen: tuple[str, int] | None,
    targets: Sequence[Target],
    clock: Clock,
    *,
    wake: Callable[[], None],
    learn: Callable[[Secret], None],
) -> AsyncIterator[Mapping[str, Inbox]]:
    """The inboxes of the targets whose platform sends events, filled from ``listen`` until the end of the block.

    ``learn`` is told each secret, so that no output shows it. ConfigError for a secret that is none.
    """
    if listen is None:
        yield {}
        return
    host, port = listen
    if not is_guarded(host, sum(1 for target in targets if target.config.hook is not None)):
        raise ConfigError(f"{host} reaches beyond this machine, and no target has a hook.secret", fix=UNGUARDED_FIX)
    import structlog

    from agent.server.app import create_app
    from agent.server.listener import Listener

    inboxes = {}
    receivers = {}
    for target in targets:
        if target.config.hook is not None and not target.platform.events:
            raise ConfigError(
                f"target {target.name} has a `hook`, and {target.platform.api_version} sends no events",
                fix=f"remove targets.{target.name}.hook",
            )
        if target.platform.events and (target.config.hook is not None or is_loopback(host)):
            inboxes[target.name] = Inbox(target.platform, target.config.defaults, clock, wake)
            receivers[target.name] = _receiver(target, inboxes[target.name], clock, learn)
    listener = Listener(create_app(receivers, is_host=is_loopback if is_loopback(host) else lambda host: True))
    await listener.open(host, port)
    log = structlog.get_logger("datakeel.server")
    log.info("server.listening", address=listener.address, targets=sorted(receivers))
    try:
        yield inboxes
    finally:
        await listener.close()


def _receiver(target: Target, inbox: Inbox, clock: Clock, learn: Callable[[Secret], None]) -> Receiver:
    from agent.server.receivers import Receiver, Secrets

    hook = target.config.hook
    if hook is None:
        return Receiver(target.name, inbox.receive, None, clock)
    secrets = Secrets(_reading(target.name, hook), clock, lambda text: learn(Secret(text)))
    return Receiver(target.name, inbox.receive, secrets, clock)


def _reading(target: str, hook: HookConfig) -> Callable[[], str]:
    """How the secret is read; one that could be guessed is refused."""
    reader = Reader(hook.secret, warn=tell)

    def read() -> str:
        secret = reader().reveal()
        if len(secret) < SECRET_LENGTH_MIN:
            raise ConfigError(
                f"targets.{target}.hook.secret has less than {SECRET_LENGTH_MIN} characters",
                code="credential-invalid",
                fix="openssl rand -hex 24 makes one that nobody guesses",
            )
        return secret

    return read
