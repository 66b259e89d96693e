"""What a port that another has does to an agent, and what `off` serves."""

from __future__ import annotations

import socket
from contextlib import AsyncExitStack
from typing import Any

import pytest
import structlog

from agent.cli.listening import Works, _opened, listening
from agent.config.model import Address, ServerConfig, SourceConfig
from agent.errors import AgentError, ConfigError
from agent.server.app import create_app


@pytest.mark.parametrize("asked", [True, False])
async def test_a_port_that_another_has_stops_the_agent_only_where_it_was_asked_for(asked: bool) -> None:
    addresses: dict[str, str] = {}
    with socket.create_server(("127.0.0.1", 0)) as taken, structlog.testing.capture_logs() as said:
        address = Address("127.0.0.1", taken.getsockname()[1], asked)
        async with AsyncExitStack() as stack:
            if asked:
                with pytest.raises(AgentError) as caught:
                    await _opened(stack, addresses, "pages", address, create_app())
                assert caught.value.error_code == "address-taken"
            else:
                await _opened(stack, addresses, "pages", address, create_app())
    assert addresses == {}
    told = [(each["event"], each["use"], each["log_level"]) for each in said]
    assert told == ([] if asked else [("server.address_taken", "pages", "warning")])


def works(*targets: Any) -> Works:
    return Works(None, None, targets, None, None, "")  # type: ignore[arg-type]


async def test_off_serves_nothing() -> None:
    server = ServerConfig(listen=None, probes=None)
    async with listening(
        server, SourceConfig(), works(), wake=lambda reason: None, learn=lambda secret: None
    ) as inboxes:
        assert inboxes == {}


@pytest.mark.parametrize(
    ("server", "says"),
    [
        (ServerConfig(listen=Address("0.0.0.0", 0)), "server.auth"),
        (ServerConfig(hooks=Address("0.0.0.0", 0)), "hook.secret"),
    ],
)
async def test_beyond_this_machine_nothing_is_served_to_nobody_in_particular(server: ServerConfig, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        async with listening(server, SourceConfig(), works(), wake=lambda reason: None, learn=lambda secret: None):
            raise AssertionError("it listens")
    assert says in caught.value.what
