"""What the probes answer: a status for programs, reasons for people."""

from __future__ import annotations

import httpx
import pytest

from agent.server.app import create_app
from agent.server.health import Check, health_routes


def client(live: list[Check], ready: list[Check]) -> httpx.AsyncClient:
    async def alive() -> list[Check]:
        return live

    async def is_ready() -> list[Check]:
        return ready

    transport = httpx.ASGITransport(app=create_app(health_routes(alive, is_ready)))
    return httpx.AsyncClient(transport=transport, base_url="http://agent.example")


async def test_what_holds_is_ok() -> None:
    asking = client([("loop", True, "ticked 2 s ago")], [("store", True, "writable"), ("revision", True, "read")])
    for path in ("/livez", "/readyz", "/healthz"):
        answer = await asking.get(path)
        assert (answer.status_code, answer.text) == (200, "ok\n")
    assert (await asking.get("/livez?verbose")).text == "[+] loop ok: ticked 2 s ago\nok\n"


async def test_who_is_not_ready_is_alive_all_the_same() -> None:
    asking = client([("loop", True, "ticked 2 s ago")], [("store", False, "SQLITE_FULL"), ("revision", True, "read")])
    assert (await asking.get("/livez")).status_code == 200
    for path in ("/readyz", "/healthz"):
        answer = await asking.get(path)
        assert (answer.status_code, answer.text) == (503, "failed\n")
    assert (await asking.get("/readyz?verbose")).text == (
        "[-] store failed: SQLITE_FULL\n[+] revision ok: read\nfailed\n"
    )


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_health_is_only_read(method: str) -> None:
    assert (await client([], []).request(method, "/livez")).status_code == 405
