"""Requests as dlcli 0.7.1 sent them, in the order in which it sent them, against the sandbox.

The client demands exact statuses: 200 with a length for imports, 204 for deletes, 422 for a plugin that exists. The
recording stands outside this repository; without it these tests are skipped.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.platforms.test_dataloop_page import ACCOUNT, AGENT
from tests.unit.sandbox.support import TOKEN, Sandbox

CAPTURES = Path(__file__).parents[3] / "shared" / "captures" / "dataloop.jsonl"

pytestmark = pytest.mark.skipif(not CAPTURES.exists(), reason="needs ../shared/captures")

IDENTITY = "8ccf364f-e33c-4061-8163-8c952b2f18de"
# The recording's server did not delete, and made up what was never created.
BEFORE: dict[int, tuple[str, dict[str, Any]]] = {
    44: ("templates/private", {"name": "t1"}),
    55: ("packs", {"name": "base"}),
    75: ("templates/private", {"name": "t1"}),
}


async def replayed(sandbox: Sandbox, call: dict[str, Any]) -> httpx.Response:
    headers = {name: value for name, value in call["headers"].items() if name not in ("Host", "Content-Length")}
    headers["Authorization"] = headers["Authorization"].replace("<redacted>", TOKEN)
    path = call["path"]
    if call["n"] == 62:  # a rule by the id that the sandbox gave it
        (rule,) = (await sandbox.client.get(f"{ACCOUNT}/rules")).json()
        path = path.rpartition("/")[0] + "/" + rule["id"]
    return await sandbox.client.request(
        call["method"], f"/api{path}", params=call["query"], content=call["body"], headers=headers
    )


async def test_the_recorded_session_runs_to_its_end():
    sandbox = Sandbox(platform="dataloop")
    sandbox.world.person_create({"kind": "agent", **AGENT, "id": IDENTITY, "tags": ["all", "tag1"]})
    sandbox.world.person_create({"kind": "account", "workspace": "acme", "name": "acct2"})
    existing = 0
    for line in CAPTURES.read_text().splitlines():
        call = json.loads(line)
        if call["n"] in BEFORE:
            path, body = BEFORE[call["n"]]
            await sandbox.client.post(f"{ACCOUNT}/{path}", data=body)
        answer = await replayed(sandbox, call)
        expected = call["stub_response"]
        place = f"{call['n']} {call['method']} {call['path']}: {answer.text}"
        if call["n"] == 55:  # packs of a repository: the client names the repository too
            assert answer.status_code in (204, 404), place
            continue
        assert answer.status_code == expected["status"], place
        existing += answer.status_code == 422
        if call["method"] == "PUT":
            assert "content-length" in answer.headers, place
        if call["headers"].get("Accept") == "application/yaml":
            assert answer.headers["content-type"] == "application/yaml", place
        elif expected["body"]:
            seen, stub = answer.json(), json.loads(expected["body"])
            assert type(seen) is type(stub), place
            if call["method"] == "GET" and isinstance(stub, list) and stub and isinstance(stub[0], dict) and seen:
                assert set(stub[0]) <= set(seen[0]) | {"encoding"}, place
            if isinstance(stub, dict) and "templates" not in call["path"]:
                assert set(stub) <= set(seen), place
    assert existing == 2


async def test_points_have_what_the_client_reads():
    sandbox = Sandbox(platform="dataloop")
    sandbox.world.person_create({"kind": "agent", **AGENT, "id": IDENTITY})
    for line in CAPTURES.read_text().splitlines():
        call = json.loads(line)
        if call["path"].endswith("/series"):
            (series,) = (await replayed(sandbox, call)).json()
            assert all({"type", "avg", "time", "value", "uom"} == set(point) for point in series["points"])
            assert len(series["points"]) == 600 // 30
