"""The HTTP of a running agent: made of the configuration, open as long as it runs.

Used by ``at_work``. Loop, inboxes, store and routes are joined here and nowhere else: the server knows no
pass, and the loop knows no HTTP. An address that nobody asked for is left alone when another program has it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from agent import __version__
from agent.cli.output import scrubbed
from agent.cli.receiving import receivers_of, word_of
from agent.clock import Clock
from agent.config.checks import is_loopback
from agent.config.listen import HOOKLESS_FIX, UNGUARDED_FIX
from agent.config.model import Address, ServerConfig, SourceConfig
from agent.errors import AgentError, ConfigError
from agent.reconcile.inbox import Inbox
from agent.reconcile.loop import Loop
from agent.reconcile.target import Target
from agent.secrets import Secret
from agent.store.store import Store

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from agent.reconcile.census import Family
    from agent.server.access import Access
    from agent.server.background import Background
    from agent.server.receivers import Receiver
    from agent.viewing.tail import Tail

ADDRESS_TAKEN = "address-taken"


@dataclass(frozen=True, slots=True)
class Works:
    """What answers are made of: all of it is read, and none changed. ``place`` is the store's, without a password."""

    loop: Loop
    store: Store
    targets: Sequence[Target]
    clock: Clock
    tail: Tail
    place: str


@asynccontextmanager
async def listening(
    server: ServerConfig,
    source: SourceConfig,
    works: Works,
    *,
    wake: Callable[[str], None],
    learn: Callable[[Secret], None],
) -> AsyncIterator[Mapping[str, Inbox]]:
    """The inboxes of the targets whose platform sends events, filled until the end of the block.

    ``learn`` is told each secret, so that no output shows it. ConfigError for a secret that is none, AgentError for an
    address that was asked for and cannot be had.
    """
    _refuse_unguarded(server, source, works.targets)
    if server.listen is None and server.probes is None and server.hooks is None:
        yield {}
        return
    from agent.server.access import Access
    from agent.server.app import create_app
    from agent.server.background import Background
    from agent.server.health import version_route
    from agent.server.hooks import hook_routes

    takes_hooks = server.hooks or server.listen
    inboxes, receivers = receivers_of(works.targets, source, takes_hooks, works.clock, wake=wake, learn=learn)
    hooks = hook_routes(receivers)
    named = sorted(receiver.name for receiver in receivers)
    addresses: dict[str, str] = {}
    async with AsyncExitStack() as stack:
        background = Background()
        stack.callback(background.close)
        opened = partial(_opened, stack, addresses)
        if server.listen is not None:
            app = create_app(
                () if server.hooks else hooks,
                page_routes(works, background, addresses, receivers),
                access=_access(server, server.listen, works.clock, learn),
                is_host=_names(server, server.listen),
            )
            await opened("pages", server.listen, app, receivers=named)
        if server.hooks is not None:
            app = create_app(hooks, is_host=_names(server, server.hooks))
            await opened("hooks", server.hooks, app, receivers=named)
        if server.probes is not None:
            app = create_app(
                health(works, background),
                [_measured(works, background, receivers), version_route(__version__)],
                access=Access(everybody=True)
                if server.metrics_open
                else _access(server, server.probes, works.clock, learn),
                is_host=_names(replace(server, hosts=()), server.probes),
            )
            await opened("probes", server.probes, app)
        yield inboxes


def page_routes(
    works: Works, background: Background, addresses: Mapping[str, str], receivers: Sequence[Receiver]
) -> Sequence[BaseRoute]:
    """What people and programs may look at, once they have shown who they are."""
    from agent.server.pages.routes import page_routes as routes_of
    from agent.viewing.facts import Facts
    from agent.viewing.views import views_of

    def hooks() -> Mapping[str, Mapping[str, int]]:
        return {
            receiver.name: {str(status): count for status, count in sorted(receiver.counts.items())}
            for receiver in receivers
        }

    facts = Facts(works.store, works.loop, works.clock, works.tail, works.place, works.clock.now(), addresses, hooks)
    views = views_of(facts, background.run)
    return routes_of(views, works.tail.beyond, scrub=scrubbed, stopping=works.loop.is_stopping)


def health(works: Works, background: Background) -> Sequence[BaseRoute]:
    """What is open to everybody: words and numbers about the agent itself."""
    from agent.reconcile.health import Readiness, alive
    from agent.server.health import health_routes

    readiness = Readiness(works.loop, works.store, works.clock)

    async def live() -> Sequence[tuple[str, bool, str]]:
        return alive(works.loop, works.clock)

    async def ready() -> Sequence[tuple[str, bool, str]]:
        checks = await background.run(readiness.checks)
        return [(name, fine, scrubbed(says)) for name, fine, says in checks]

    return health_routes(live, ready)


def _measured(works: Works, background: Background, receivers: Sequence[Receiver]) -> BaseRoute:
    from agent.reconcile.measures import Measures
    from agent.server.metrics import metrics_route
    from agent.server.receivers import STATUSES

    def hooks() -> dict[tuple[str, str], int]:
        # A rate is told only of what was there before it grew: so every status is there from the beginning.
        return {(each.name, str(word)): each.counts[word] for each in receivers for word in STATUSES}

    measures = Measures(works.loop, works.store, works.clock, hooks)

    async def measure() -> Sequence[Family]:
        return await background.run(measures.begin())

    return metrics_route(measure)


def _refuse_unguarded(server: ServerConfig, source: SourceConfig, targets: Sequence[Target]) -> None:
    """The same as ``config.listen`` says of the file, for addresses of the command line."""
    if server.listen is not None and not is_loopback(server.listen.host) and server.auth is None:
        raise ConfigError(
            f"{server.listen.host} reaches beyond this machine, and there is no server.auth", fix=UNGUARDED_FIX
        )
    hooked = source.hook is not None or any(target.config.hook is not None for target in targets)
    if server.hooks is not None and not is_loopback(server.hooks.host) and not hooked:
        raise ConfigError(
            f"{server.hooks.host} reaches beyond this machine, and nothing has a hook.secret", fix=HOOKLESS_FIX
        )


def _names(server: ServerConfig, address: Address) -> Callable[[str], bool]:
    """By which names the agent may be called at an address."""
    if not is_loopback(address.host) and not server.hosts:
        return lambda host: True
    return lambda host: host in server.hosts or is_loopback(host)


def _access(server: ServerConfig, address: Address, clock: Clock, learn: Callable[[Secret], None]) -> Access:
    """Who may look at what is served there. Without a word about it: those on this machine, and nobody else."""
    from agent.server.access import Access
    from agent.server.keys import Secrets

    auth = server.auth
    if auth is None:
        return Access(everybody=is_loopback(address.host))
    token = None
    if auth.token is not None:
        read = word_of("server.auth.token", auth.token)
        # No grace: a token that leaked is to be worth nothing as soon as it is replaced.
        token = Secrets(read, clock, lambda text: learn(Secret(text)), grace_seconds=0.0)
    return Access(token=token, user_header=auth.user_header, proxies=auth.proxies)


async def _opened(
    stack: AsyncExitStack, addresses: dict[str, str], use: str, address: Address, app: object, **facts: object
) -> None:
    """Listen until the end. What nobody asked for is said and left when it cannot be had."""
    import structlog

    from agent.server.listener import Listener

    log = structlog.get_logger("datakeel.server")
    listener = Listener(app)  # type: ignore[arg-type]
    try:
        await listener.open(address.host, address.port)
    except AgentError as error:
        if address.asked or error.error_code != ADDRESS_TAKEN:
            raise
        log.warning("server.address_taken", use=use, address=f"{address.host}:{address.port}", message=error.what)
        return
    stack.push_async_callback(listener.close)
    addresses[use] = listener.address
    log.info("server.listening", use=use, address=listener.address, **facts)
