"""Forges at the door: every way in which one proves itself, and what is nearly one."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import httpx
import pytest

from agent.server.app import create_app
from agent.server.hooks import hook_routes
from agent.server.keys import Secrets
from agent.server.proofs import FORGE
from agent.server.receivers import Receiver
from tests.unit.server.test_receivers import OTHER, SECRET, Clock

PATH = "/hooks/git/source"
BODY = b'{"ref": "refs/heads/main"}'


class Door:
    """A receiver of pushes; what it took in stands in `taken`, with the name of the event."""

    def __init__(self, secret: str | None = SECRET) -> None:
        self.clock = Clock()
        self.taken: list[tuple[bytes, str]] = []
        secrets = Secrets(lambda: secret, self.clock) if secret is not None else None
        self.receiver = Receiver("git/source", self.take, secrets, self.clock, FORGE)
        transport = httpx.ASGITransport(app=create_app(hook_routes([self.receiver])))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://agent.example")

    def take(self, body: bytes, event: str) -> str:
        self.taken.append((body, event))
        return "accepted"

    async def post(self, path: str = PATH, body: bytes = BODY, **headers: str) -> int:
        named = {name.replace("_", "-"): value.encode("latin-1") for name, value in headers.items()}
        named["Content-Type"] = b"application/json"
        answer = await self.client.post(path, content=body, headers=named)
        assert answer.content == b""
        return answer.status_code


def mac(body: bytes = BODY, key: bytes = SECRET.encode(), algorithm: str = "sha256") -> str:
    return hmac.new(key, body, algorithm).hexdigest()


def standard(body: bytes = BODY, key: bytes = SECRET.encode(), moment: str = "1700000000") -> dict[str, str]:
    signed = hmac.new(key, f"msg_1.{moment}.".encode() + body, hashlib.sha256).digest()
    text = f"v1,{base64.b64encode(signed).decode()}"
    return {"Webhook_Id": "msg_1", "Webhook_Timestamp": moment, "Webhook_Signature": text}


FORGES: dict[str, dict[str, str]] = {
    "GitHub": {"X_Hub_Signature_256": f"sha256={mac()}", "X_GitHub_Event": "push"},
    "GitLab": {"X_Gitlab_Token": SECRET, "X_Gitlab_Event": "Push Hook"},
    "GitLab, signing": {**standard(), "X_Gitlab_Event": "Push Hook"},
    "Gitea": {"X_Gitea_Signature": mac(), "X_Gitea_Event": "push"},
    "Forgejo": {"X_Forgejo_Signature": mac(), "X_Gitea_Signature": mac(), "X_Forgejo_Event": "push"},
    "Bitbucket": {"X_Hub_Signature": f"sha256={mac()}", "X_Event_Key": "repo:push"},
    "a script": {"Authorization": f"Bearer {SECRET}"},
}


@pytest.mark.parametrize("headers", FORGES.values(), ids=FORGES)
async def test_each_forge_is_let_in_by_its_own_proof(headers: dict[str, str]) -> None:
    door = Door()
    assert await door.post(**headers) == 202
    ((body, event),) = door.taken
    assert body == BODY
    assert event == next((value for name, value in headers.items() if "Event" in name), "")


WRONG: dict[str, dict[str, str]] = {
    "nothing": {},
    "sha1": {"X_Hub_Signature": f"sha1={mac(algorithm='sha1')}"},
    "of another body": {"X_Hub_Signature_256": f"sha256={mac(b'{}')}"},
    "with another key": {"X_Hub_Signature_256": f"sha256={mac(key=OTHER.encode())}"},
    "without its name": {"X_Hub_Signature_256": mac()},
    "with a name that is not its own": {"X_Gitea_Signature": f"sha256={mac()}"},
    "upper case": {"X_Gitea_Signature": mac().upper()},
    "too short": {"X_Gitea_Signature": mac()[:-2]},
    "another token": {"X_Gitlab_Token": OTHER},
    "a token that begins alike": {"X_Gitlab_Token": SECRET[:-1]},
    "an empty token": {"X_Gitlab_Token": ""},
    "not ASCII": {"X_Gitlab_Token": "\xe9" * 20},
    "another version": {name: value.replace("v1,", "v2,") for name, value in standard().items()},
    "no version": {name: value.replace("v1,", "") for name, value in standard().items()},
    "another moment": {**standard(), "Webhook_Timestamp": "1700000001"},
    "no moment": {name: value for name, value in standard().items() if name != "Webhook_Timestamp"},
    "not base64": {**standard(), "Webhook_Signature": "v1,===="},
    "the secret in the place of a signature": {"X_Hub_Signature_256": SECRET},
}


@pytest.mark.parametrize("headers", WRONG.values(), ids=WRONG)
async def test_what_proves_nothing_is_refused(headers: dict[str, str]) -> None:
    door = Door()
    assert await door.post(**headers) == 401
    assert door.taken == []


async def test_a_key_in_the_standard_form_is_decoded() -> None:
    key = bytes(range(24))
    door = Door("whsec_" + base64.b64encode(key).decode())
    assert await door.post(**standard(key=key)) == 202
    assert await door.post(**standard(key=b"whsec_" + base64.b64encode(key))) == 401


async def test_the_secret_is_never_in_the_address_of_a_forge() -> None:
    door = Door()
    assert await door.post(f"{PATH}/{SECRET}") == 404
    assert await door.post("/hooks/git/other", X_Gitlab_Token=SECRET) == 404


async def test_a_platform_is_not_let_in_as_a_forge_would_be() -> None:
    receiver = Receiver("platform/main", lambda body, event: "accepted", Secrets(lambda: SECRET, Clock()), Clock())
    transport = httpx.ASGITransport(app=create_app(hook_routes([receiver])))
    async with httpx.AsyncClient(transport=transport, base_url="http://agent.example") as client:
        headers = {"Content-Type": "application/json", "X-Gitlab-Token": SECRET}
        assert (await client.post("/hooks/platform/main", content=BODY, headers=headers)).status_code == 401


@pytest.mark.parametrize("headers", FORGES.values(), ids=FORGES)
async def test_two_secrets_are_good_in_a_rotation(headers: dict[str, Any]) -> None:
    now = [SECRET]
    clock = Clock()
    receiver = Receiver("git/source", lambda body, event: "accepted", Secrets(lambda: now[0], clock), clock, FORGE)
    transport = httpx.ASGITransport(app=create_app(hook_routes([receiver])))
    named = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(transport=transport, base_url="http://agent.example") as client:
        now[0] = OTHER
        statuses = []
        for moment in (10.0, 3600.0, 3700.0):
            clock.at = moment
            statuses.append((await client.post(PATH, content=BODY, headers=named)).status_code)
    assert statuses == [202, 202, 401]
