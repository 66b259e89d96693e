"""Who may send a webhook, what it may weigh, and what is answered: a status, an empty body, a count."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator

import httpx
import pytest

from agent.errors import ConfigError
from agent.server.app import create_app
from agent.server.hooks import hook_routes
from agent.server.keys import GRACE_SECONDS, SECRET_AGE_SECONDS, Secrets
from agent.server.receivers import BODY_MAX, Receiver

SECRET = "the-secret-of-this-hook"
OTHER = "the-secret-that-comes-next"
PATH = "/hooks/platform/main"
JSON = {"Content-Type": "application/json"}


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class Scene:
    """A receiver of the target `main`; what it took in stands in `bodies`."""

    def __init__(self, *, secret: bool = True, word: str = "accepted", host: str | None = None) -> None:
        self.clock = Clock()
        self.secret = SECRET
        self.lost = False
        self.bodies: list[bytes] = []
        self.word = word
        secrets = Secrets(self._read, self.clock) if secret else None
        self.receiver = Receiver("platform/main", self._take, secrets, self.clock)
        is_host = (lambda name: name == host) if host is not None else (lambda name: True)
        transport = httpx.ASGITransport(app=create_app(hook_routes([self.receiver]), is_host=is_host))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://agent.example")

    def _read(self) -> str:
        if self.lost:
            raise ConfigError("the secret file cannot be read", code="credential-missing")
        return self.secret

    def _take(self, body: bytes, event: str) -> str:
        self.bodies.append(body)
        return self.word

    async def post(
        self,
        path: str = f"{PATH}/{SECRET}",
        body: bytes | AsyncIterator[bytes] = b"{}",
        method: str = "POST",
        **headers: str,
    ) -> int:
        sent = JSON | {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.client.request(method, path, content=body, headers=sent)
        assert answer.content == b""
        return answer.status_code


def signed(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


async def test_the_word_in_the_address_a_token_or_a_signature_opens() -> None:
    at = Scene()
    assert await at.post() == 202
    assert await at.post(PATH, Authorization=f"Bearer {SECRET}") == 202
    assert await at.post(PATH, b'{"a": 1}', X_Hub_Signature_256=signed(b'{"a": 1}')) == 202
    assert at.bodies == [b"{}", b"{}", b'{"a": 1}']
    assert at.receiver.counts == {202: 3}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X_Hub_Signature": "sha1=" + "a" * 40},
        {"X_Hub_Signature_256": "sha256="},
        {"X_Hub_Signature_256": signed(b"{}")[:-1]},
        {"X_Hub_Signature_256": signed(b"{}") + "0"},
        {"X_Hub_Signature_256": signed(b"{}").upper().replace("SHA", "sha")},
        {"X_Hub_Signature_256": signed(b"{}")[7:]},
        {"X_Hub_Signature_256": signed(b"{ }")},
        {"X_Hub_Signature_256": signed(b"{}", OTHER)},
        {"Authorization": f"Bearer {OTHER}"},
        {"Authorization": f"Basic {SECRET}"},
        {"Authorization": SECRET},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer ***"},
    ],
    ids=range(14),
)
async def test_what_proves_nothing_is_refused(headers: dict[str, str]) -> None:
    at = Scene()
    assert await at.post(PATH, **headers) == 401
    assert at.bodies == []


@pytest.mark.parametrize("word", [SECRET[:-1], SECRET + "x", SECRET.upper(), "%00", "%C3%A9", "%FF", "***"])
async def test_another_word_in_the_address_is_refused(word: str) -> None:
    at = Scene()
    assert await at.post(f"{PATH}/{word}") == 401
    assert at.bodies == []


async def test_a_body_that_was_written_anew_has_another_signature() -> None:
    at = Scene()
    assert await at.post(PATH, b'{"a":1}', X_Hub_Signature_256=signed(b'{"a": 1}')) == 401


async def test_without_a_secret_whoever_reaches_the_address_may_send() -> None:
    at = Scene(secret=False)
    assert await at.post(PATH) == 202
    assert await at.post(f"{PATH}/anything") == 202


async def test_a_new_secret_is_good_at_once_and_the_old_one_for_a_while() -> None:
    at = Scene()
    at.secret = OTHER
    assert await at.post(f"{PATH}/{OTHER}") == 401, "not read yet"
    at.clock.at += SECRET_AGE_SECONDS
    assert await at.post(f"{PATH}/{OTHER}") == 202
    assert await at.post(f"{PATH}/{SECRET}") == 202
    at.clock.at += GRACE_SECONDS - 1
    assert await at.post(f"{PATH}/{SECRET}") == 202
    at.clock.at += 1
    assert await at.post(f"{PATH}/{SECRET}") == 401
    assert await at.post(f"{PATH}/{OTHER}") == 202


async def test_a_secret_that_cannot_be_read_just_now_is_what_it_was() -> None:
    at = Scene()
    at.lost = True
    at.clock.at += 100.0
    assert await at.post() == 202


def test_a_secret_that_cannot_be_had_at_all_is_an_error_at_the_start() -> None:
    def read() -> str:
        raise ConfigError("the environment variable HOOK is not set", code="credential-missing")

    with pytest.raises(ConfigError):
        Secrets(read, Clock())


async def in_pieces(size: int) -> AsyncIterator[bytes]:
    for start in range(0, size, 65536):
        yield b" " * min(65536, size - start)


async def test_a_body_at_the_limit_is_read_and_one_byte_more_is_not() -> None:
    at = Scene()
    assert await at.post(body=b" " * BODY_MAX) == 202
    assert await at.post(body=b" " * (BODY_MAX + 1)) == 413
    assert await at.post(body=in_pieces(BODY_MAX)) == 202
    assert await at.post(body=in_pieces(BODY_MAX + 1)) == 413
    assert await at.post(body=in_pieces(25_000_000)) == 413
    assert [len(body) for body in at.bodies] == [BODY_MAX, BODY_MAX]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 202),
        ("application/json; charset=utf-8", 202),
        ("Application/JSON", 202),
        ("application/cloudevents+json", 202),
        ("application/x-www-form-urlencoded", 415),
        ("text/plain", 415),
        ("text/json", 415),
        ("", 415),
    ],
)
async def test_only_json_is_taken(kind: str, status: int) -> None:
    assert await Scene().post(Content_Type=kind) == status


async def test_a_packed_body_is_not_taken() -> None:
    assert await Scene().post(Content_Encoding="gzip") == 415


async def test_what_the_reader_calls_malformed_is_told_to_the_sender() -> None:
    assert await Scene(word="malformed").post(body=b"[]") == 400
    assert await Scene(word="ignored").post(body=b"{}") == 202


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_another_method_is_refused(method: str) -> None:
    assert await Scene().post(method=method) == 405


@pytest.mark.parametrize("path", ["/", "/hooks/platform", "/hooks/platform/other/x", f"{PATH}/{SECRET}/more", "/livez"])
async def test_another_path_is_not_there(path: str) -> None:
    assert await Scene().post(path) == 404


async def test_another_host_is_not_meant() -> None:
    at = Scene(host="127.0.0.1")
    assert await at.post(Host="evil.example") == 400
    assert await at.post(Host="127.0.0.1:8642") == 202
    assert await at.post(Host="127.0.0.1.evil.example:8642") == 400
    assert await Scene(host="::1").post(Host="[::1]:8642") == 202


async def test_a_thousand_replays_are_taken_and_more_in_the_same_second_are_not() -> None:
    at = Scene()
    assert [await at.post() for _ in range(1000)] == [202] * 1000
    assert await at.post() == 429
    at.clock.at += 1.0
    assert await at.post() == 202
    assert at.receiver.counts == {202: 1001, 429: 1}


async def test_who_only_claims_to_have_signed_uses_up_nothing_of_the_others() -> None:
    at = Scene()
    wrong = signed(b"{}", OTHER)
    statuses = [await at.post(PATH, X_Hub_Signature_256=wrong) for _ in range(1100)]
    assert set(statuses) == {401, 429}
    assert await at.post() == 202


async def test_big_bodies_count_for_more() -> None:
    at = Scene()
    statuses = [await at.post(body=b" " * BODY_MAX) for _ in range(20)]
    assert statuses.count(429) > 0 and statuses[0] == 202
