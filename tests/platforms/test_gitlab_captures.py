"""The recorded requests of a real GitLab client, sent again to the emulator of DataOps.live.

Recorded against a stub: its statuses and headers are what let the client go on, its ids and its links are not ours, so
both are translated. Skipped where the recordings are not at hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.sandbox.support import Sandbox, SandboxTransport

CAPTURES = Path(__file__).parents[3] / "shared" / "captures" / "gitlab-dataopslive.jsonl"
PAGING = ("X-Total", "X-Total-Pages", "X-Page", "X-Per-Page", "X-Next-Page", "X-Prev-Page")
RECORDED_MAX = 4000
"""Characters of a body that were recorded; what is longer was cut."""
STUB_ONLY = {"kas", "email", "initialize_with_readme"}
"""Members that the client did not need: two that tell of a server, and a parameter that the stub gave back."""

pytestmark = pytest.mark.skipif(not CAPTURES.exists(), reason="the recordings lie outside of this repository")


class Replay:
    """The stub put projects without a namespace into `acme`: here that is the caller's own."""

    def __init__(self) -> None:
        sandbox = Sandbox(platform="dataops-live")
        self.world = sandbox.world
        token = self.world.create_token(None, owner="acme")
        self.client = httpx.AsyncClient(
            transport=SandboxTransport(sandbox.app), base_url="http://127.0.0.1:18101", headers={"accept": "*/*"}
        )
        self.token = token.value
        self.ids: dict[str, str] = {}
        self.next_link = ""

    async def send(self, line: dict[str, Any]) -> httpx.Response:
        if line["path"] == "/projects":  # the stub's own link, which had lost the base
            url = self.next_link
        else:
            path = "/".join(self.ids.get(segment, segment) for segment in line["path"].split("/"))
            query = "&".join(f"{name}={value}" for name, value in line["query"])
            url = f"{path}?{query}" if query else path
        body = line["body"]
        if '"namespace_id": 101' in body:
            body = body.replace("101", self.ids["101"])
        if line["path"].endswith("/trigger/pipeline"):
            self.world.person_create(
                {"type": "trigger", "workspace": "acme/sales-pipeline", "description": "ci", "token": "tok"}
            )
        names = ("User-Agent", "Content-Type", "Accept")
        headers = {name: line["headers"][name] for name in names if name in line["headers"]}
        answer = await self.client.request(
            line["method"], url, content=body or None, headers={**headers, "PRIVATE-TOKEN": self.token}
        )
        self.learn(line, answer)
        return answer

    def learn(self, line: dict[str, Any], answer: httpx.Response) -> None:
        recorded = line["stub_response"].get("body", "")
        if recorded.startswith("{") and answer.text.startswith("{"):
            old, new = json.loads(recorded).get("id"), answer.json().get("id")
            if old is not None and new is not None and old > 100:
                self.ids[str(old)] = str(new)
        self.next_link = answer.links.get("next", {}).get("url", "")


def lines() -> Iterator[dict[str, Any]]:
    for line in CAPTURES.read_text().splitlines():
        yield json.loads(line)


async def test_every_recorded_request_is_answered_as_the_client_needs_it():
    replay, seen = Replay(), 0
    for line in lines():
        wanted = line["stub_response"]
        answer = await replay.send(line)
        where = f"request {line['n']}, {line['client']}: {line['method']} {line['path']}"
        assert answer.status_code == wanted["status"], f"{where}: {answer.text}"
        for name in PAGING:
            assert answer.headers.get(name) == wanted.get("headers", {}).get(name), f"{where}: {name}"
        if "Link" in wanted.get("headers", {}):
            assert answer.links["next"]["url"].startswith("http://127.0.0.1:18101/api/v4/projects?"), where
        _check_body(where, wanted.get("body", ""), answer)
        seen += 1
    assert seen == 56


def _check_body(where: str, recorded: str, answer: httpx.Response) -> None:
    if not recorded:
        assert answer.content == b"", where
        return
    if len(recorded) > RECORDED_MAX:
        return
    wanted, got = json.loads(recorded), answer.json()
    if "message" in wanted:
        assert got == wanted, where
        return
    if isinstance(wanted, list):
        assert len(got) == len(wanted), where
        wanted, got = wanted[0], got[0]
    missing = set(wanted) - set(got) - STUB_ONLY
    assert not missing, f"{where} lacks {sorted(missing)}"


async def test_the_pages_of_a_list_are_followed_to_their_end():
    replay = Replay()
    for number in range(26):
        replay.world.person_create({"type": "group", "name": f"g{number:02}", "path": f"g{number:02}"})
    names, url = [], "/api/v4/groups?per_page=10"
    while url:
        answer = await replay.client.get(url, headers={"PRIVATE-TOKEN": replay.token})
        names += [row["name"] for row in answer.json()]
        url = answer.links.get("next", {}).get("url", "")
    assert names == [f"g{number:02}" for number in range(26)]
