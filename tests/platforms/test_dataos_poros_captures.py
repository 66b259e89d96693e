"""The recorded requests of the vendor's Python client, sent again to the emulator of Poros.

Recorded against a stub whose answers let the client go on and are not the platform's own: it told every type as a
workflow in `public`. So of its answers only the statuses, the members, and whether one is an array are looked at.
Skipped where the recordings are not at hand.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.sandbox.support import TOKEN, Sandbox, SandboxTransport

CAPTURES = Path(__file__).parents[3] / "shared" / "captures" / "dataos-poros.jsonl"
NO_WORKSPACE = {"depot"}
SENT_ONLY_BY_THE_STUB = {"workspace"}
"""The stub had a workspace in everything: a depot and a workspace have none."""

pytestmark = pytest.mark.skipif(not CAPTURES.exists(), reason="the recordings lie outside of this repository")


@pytest.fixture
def lines() -> list[dict[str, Any]]:
    return [json.loads(line) for line in CAPTURES.read_text().splitlines()]


@pytest.fixture
def client(lines: list[dict[str, Any]]) -> httpx.AsyncClient:
    """Before a sandbox in which a person has made all that the client asked for."""
    sandbox = Sandbox(platform="dataos-poros")
    for type_name, name in sorted({found for line in lines if (found := _asked(line["path"])) is not None}):
        sandbox.world.person_create({"type": type_name, "name": name, "version": "v1"})
    return httpx.AsyncClient(transport=SandboxTransport(sandbox.app), base_url="http://127.0.0.1:18100")


def _asked(path: str) -> tuple[str, str] | None:
    """Type and name of the one resource that a path names."""
    rest = path.partition("/resources/")[2].split("/")
    return (rest[0], rest[1]) if len(rest) == 2 else None


async def test_every_recorded_request_is_answered_as_the_client_needs_it(client, lines):
    for line in lines:
        headers = {**line["headers"], "apikey": TOKEN}
        answer = await client.request(line["method"], line["path"], params=line["query"], headers=headers)
        where = f"request {line['n']}, {line['client']}: {line['method']} {line['path']}"
        assert answer.status_code == line["stub_response"]["status"], f"{where}: {answer.text}"
        wanted, got = json.loads(line["stub_response"]["body"]), answer.json()
        assert isinstance(got, list) == isinstance(wanted, list), where
        if isinstance(wanted, list):
            (wanted,), (got,) = wanted, got
        missing = set(wanted) - set(got) - SENT_ONLY_BY_THE_STUB
        assert not missing, f"{where} lacks {sorted(missing)}"
        if "status" in wanted:
            assert got["status"] == wanted["status"] or got["status"] == {"aggregateStatus": "pending"}, where
        asked = _asked(line["path"])
        if asked is not None:
            assert (got["type"], got["name"]) == asked, where
            assert ("workspace" in got) == (asked[0] not in NO_WORKSPACE), where
    assert len(lines) == 9


async def test_the_credential_travels_as_it_was_recorded(client, lines):
    for line in lines:
        assert "apikey" in line["headers"] and "Authorization" not in line["headers"]
        answer = await client.request(line["method"], line["path"], headers=line["headers"])
        assert answer.status_code == 401
