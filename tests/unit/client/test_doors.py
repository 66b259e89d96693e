"""``from agent import …``, the arguments of ``connect``, and the loop behind the plain client."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

import agent
from agent.client.portal import Portal
from agent.definitions.load import available
from agent.errors import AgentError, ConfigError, UsageError

ROOT = Path(__file__).resolve().parents[3]


def test_importing_the_package_loads_nothing_of_it() -> None:
    program = (
        "import sys, agent; print([name for name in sys.modules if name.startswith(('agent.', 'httpx', 'asyncio'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", sorted({name.partition("/")[0] for name in available()}))
def test_every_definition_has_a_class_of_its_own(name: str) -> None:
    called = "".join(word.capitalize() for word in name.split("-"))
    plain, other = getattr(agent, called), getattr(agent, f"Async{called}")
    assert (plain.of, other.of) == (name, name)
    assert issubclass(plain, agent.Client) and issubclass(other, agent.AsyncClient)
    assert getattr(agent, called) is plain and plain.__module__ == "agent"


def test_what_is_not_there_is_no_attribute() -> None:
    for name in ("Acme", "AsyncAcme", "Async", "connects", "_private", "schema"):
        with pytest.raises(AttributeError, match=f"no attribute '{name}'"):
            getattr(agent, name)


@pytest.mark.parametrize(
    ("words", "kind", "what", "fix"),
    [
        ({"token": None}, ConfigError, "no credential", "token=… or username=…, password=…"),
        ({"tokn": "x"}, UsageError, "connect() takes no `tokn`", "did you mean `token`?"),
        ({"token": "x", "server": "http://example.com"}, ConfigError, "is not encrypted", None),
        ({"token": "x", "server": "example.com"}, ConfigError, "must start with https://", None),
        ({"token": 5}, UsageError, "`token` is a int", "a text, a function"),
        ({"token": {"enf": "T"}}, ConfigError, "`token`", "write one of"),
        ({"token": "x", "budget": [{"calls": 3}]}, UsageError, "budget=", "per"),
        ({"token": "x", "target": "analytics"}, UsageError, "exclude each other", None),
        ({"token": "x", "defaults": {"room": "a"}}, ConfigError, "`defaults` names `room`", None),
    ],
)
def test_a_mistake_in_the_arguments_is_told_before_anything_is_sent(
    words: dict[str, object], kind: type[AgentError], what: str, fix: str | None
) -> None:
    with pytest.raises(kind) as caught:
        agent.connect("dataos", **words)  # type: ignore[arg-type]
    assert what in str(caught.value)
    assert fix is None or fix in (caught.value.fix or "")
    with pytest.raises(UsageError, match="this class is of dataos"):
        agent.DataOS("dataos", token="x")


def test_a_client_that_asked_nothing_closes_and_says_what_it_is() -> None:
    with agent.DataOS(token="a-token", workspace="sales") as client:
        assert repr(client) == "<DataOS dataos/v1 at https://api.dataos.io>"
        assert {"workflows", "instance_secrets", "resources"} <= set(dir(client))
        with pytest.raises(agent.NoCollectionError) as caught:
            _ = client.flows_of_old
        assert isinstance(caught.value, AttributeError) and not hasattr(client, "projects")
    assert "a-token" not in repr(vars(client))


async def _nothing() -> None:
    return None


def test_a_call_that_is_interrupted_is_cancelled_in_the_loop() -> None:
    portal, ended = Portal(_nothing), threading.Event()

    async def long() -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            ended.set()
            raise

    failures: list[BaseException] = []

    def call() -> None:
        try:
            portal.run(long())
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    while not portal.is_open:
        time.sleep(0.01)
    time.sleep(0.05)
    portal.close()
    thread.join(5)
    assert ended.is_set() and len(failures) == 1
    with pytest.raises(UsageError, match="this client is closed"):
        portal.run(_nothing())


def test_a_portal_that_nobody_holds_ends_its_thread_and_closes_what_it_opened() -> None:
    closed = threading.Event()

    async def close() -> None:
        closed.set()

    portal = Portal(close)
    portal.run(_nothing())
    (thread,) = (each for each in threading.enumerate() if each.name == "datakeel-client")
    del portal
    gc.collect()
    thread.join(5)
    assert not thread.is_alive() and closed.is_set()


def test_values_are_asked_for_one_by_one_and_the_rest_is_closed() -> None:
    portal, asked = Portal(_nothing), []

    async def numbers() -> AsyncGenerator[int, None]:
        try:
            for number in range(10):
                asked.append(number)
                yield number
        finally:
            asked.append(-1)

    values = portal.iterate(numbers())
    assert [next(values), next(values)] == [0, 1]
    values.close()  # type: ignore[attr-defined]
    assert asked == [0, 1, -1]
    assert list(portal.iterate(numbers())) == list(range(10))
    portal.close()
