"""Requests as datachain 0.30.7 sent them, against the sandbox: it must get answers with which it goes on.

The recording stands outside this repository; without it these tests are skipped.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.platforms.test_datachain_studio_page import TEAM, Studio
from tests.unit.sandbox.support import TOKEN
from tests.unit.sandbox.websocket_support import converse

CAPTURES = Path(__file__).parents[3] / "shared" / "captures" / "datachain.jsonl"

pytestmark = pytest.mark.skipif(not CAPTURES.exists(), reason="needs ../shared/captures")


def captured() -> list[dict[str, Any]]:
    return [json.loads(line) for line in CAPTURES.read_text().splitlines()] if CAPTURES.exists() else []


@pytest.fixture
async def studio() -> Studio:
    studio = Studio()
    upload = {"file_content": "ZmlsZSBjb250ZW50", "file_name": "file.txt", "team_name": TEAM}
    assert (await studio.client.post("/api/datachain/upload-file", json=upload)).json() == {"blob": {"id": 1}}
    studio.world.person_create(
        {
            "kind": "dataset",
            "workspace": TEAM,
            "name": "cats",
            "namespace": "dev",
            "project": "animals",
            "versions": [{"version": "1.0.0"}, {"version": "2.0.0"}],
        }
    )
    studio.world.person_create({"kind": "file", "workspace": TEAM, "name": "s3://my-bucket/dataset/images/image1.jpg"})
    return studio


@pytest.mark.parametrize("call", captured(), ids=lambda call: f"{call['n']}-{call['client'].partition(' ')[2]}")
async def test_a_recorded_request_gets_an_answer_of_the_recorded_kind(studio, call):
    path, expected = call["path"], call["stub_response"]
    if "/job/" in path or any(name == "job_id" for name, _ in call["query"]):
        identity = await studio.create()
        path = path.replace(path.split("/")[4], identity) if "/job/" in path else path
        call["query"] = [[name, identity if name == "job_id" else value] for name, value in call["query"]]
    headers = {name: value for name, value in call["headers"].items() if name not in ("Host", "Content-Length")}
    headers["Authorization"] = headers["Authorization"].replace("<redacted>", TOKEN)
    if expected["status"] == 101:
        query = "&".join(f"{name}={value}" for name, value in call["query"])
        told = await converse(studio.sandbox.app, path, query, headers)
        assert told.status == 101 and {"CREATED", "COMPLETE"} <= {
            frame["job"]["status"] for frame in told.frames if "job" in frame
        }
        return
    answer = await studio.client.request(
        call["method"], path, params=call["query"], content=call["body"], headers=headers
    )
    assert answer.status_code == expected["status"], answer.text
    if "body_base64" in expected:
        assert answer.headers["content-type"] == "application/msgpack"
        assert answer.content[:1] == b"\xdf" and b"\xc7\x0c\x2a" in answer.content
        assert b"\xc7\x0c\x2a" in base64.b64decode(expected["body_base64"])
        return
    seen, stub = answer.json(), json.loads(expected["body"])
    assert type(seen) is type(stub)
    if isinstance(seen, dict):
        assert set(seen) >= set(stub)
    elif stub and seen:
        needed = {"project", "name", "versions"}
        assert needed <= set(seen[0]) and seen[0]["project"]["namespace"]["name"] == "dev"
