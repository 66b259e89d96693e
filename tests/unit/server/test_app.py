"""Who is let in, by which name, from which page; and what every answer says to a browser."""

from __future__ import annotations

import base64
from ipaddress import ip_network

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from agent.clock import SystemClock
from agent.server.access import Access
from agent.server.answers import HEADERS
from agent.server.app import create_app
from agent.server.keys import Secrets

TOKEN = "a-token-that-nobody-guesses"


async def page(request: Request) -> Response:
    return PlainTextResponse(request.method)


class Reader:
    """An application with one open page, ``/open``, and one for those who may look, ``/page``."""

    def __init__(self, access: Access, *, client: str = "127.0.0.1", host: str | None = None) -> None:
        app = create_app(
            [Route("/open", page, methods=["GET"])],
            [Route("/page", page, methods=["GET", "POST"])],
            access=access,
            is_host=(lambda name: True) if host is None else (lambda name: name == host),
        )
        transport = httpx.ASGITransport(app=app, client=(client, 4711))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://agent.example:8642")

    async def ask(self, path: str = "/page", method: str = "GET", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value.encode("latin-1") for name, value in headers.items()}
        return await self.client.request(method, path, headers=named)


def with_token() -> Access:
    return Access(token=Secrets(lambda: TOKEN, SystemClock(), grace_seconds=0.0))


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


async def test_nobody_is_let_in_unless_something_is_said() -> None:
    assert (await Reader(Access()).ask()).status_code == 401
    assert (await Reader(Access(everybody=True)).ask()).status_code == 200
    assert (await Reader(Access()).ask("/open")).status_code == 200


@pytest.mark.parametrize(
    "authorization", [f"Bearer {TOKEN}", f"bearer {TOKEN}", basic(f":{TOKEN}"), basic(f"ann:{TOKEN}")]
)
async def test_the_token_lets_in(authorization: str) -> None:
    assert (await Reader(with_token()).ask(Authorization=authorization)).text == "GET"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        TOKEN,
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN} {TOKEN}",
        f"Token {TOKEN}",
        basic(TOKEN),
        basic(f"{TOKEN}:"),
        basic(f"ann:{TOKEN}:"),
        "Basic ===",
        "Basic \xff",
        "Bearer \xff\xfe",
    ],
    ids=range(14),
)
async def test_anything_else_does_not(authorization: str) -> None:
    answer = await Reader(with_token()).ask(Authorization=authorization)
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer.headers["www-authenticate"].startswith("Basic ")


async def test_two_tokens_are_none() -> None:
    reader = Reader(with_token())
    pair = [("Authorization", f"Bearer {TOKEN}"), ("Authorization", f"Bearer {TOKEN}")]
    assert (await reader.client.get("/page", headers=pair)).status_code == 401


async def test_what_is_not_there_is_not_told_to_those_who_may_not_look() -> None:
    assert (await Reader(with_token()).ask("/nothing")).status_code == 401
    assert (await Reader(with_token()).ask("/nothing", Authorization=f"Bearer {TOKEN}")).status_code == 404


@pytest.mark.parametrize(
    ("client", "user", "status"),
    [
        ("10.1.2.3", "ann", 200),
        ("::ffff:10.1.2.3", "ann", 200),
        ("10.1.2.3", "", 401),
        ("10.1.2.3", "  ", 401),
        ("10.2.2.3", "ann", 401),
        ("127.0.0.1", "ann", 401),
        ("fd00::1", "ann", 200),
        ("fe80::1", "ann", 401),
        ("not an address", "ann", 401),
    ],
)
async def test_a_user_is_believed_of_the_named_proxies_only(client: str, user: str, status: int) -> None:
    proxies = (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))
    reader = Reader(Access(user_header="x-forwarded-user", proxies=proxies), client=client)
    assert (await reader.ask(X_Forwarded_User=user)).status_code == status
    assert (await reader.ask()).status_code == 401


async def test_another_host_is_not_meant_on_any_route() -> None:
    reader = Reader(Access(everybody=True), host="127.0.0.1")
    for path in ("/page", "/open", "/nothing"):
        assert (await reader.ask(path)).status_code == 400
    assert (await reader.ask(Host="127.0.0.1:8642")).status_code == 200
    assert (await reader.ask(Host="127.0.0.1.evil.example")).status_code == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://agent.example:8642"}, 200),
        ({"Sec_Fetch_Site": "same-origin"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://agent.example.evil.example"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Sec_Fetch_Site": "cross-site", "Origin": "http://agent.example:8642"}, 403),
    ],
    ids=str,
)
async def test_a_page_of_another_site_changes_nothing(headers: dict[str, str], status: int) -> None:
    reader = Reader(Access(everybody=True))
    assert (await reader.ask(method="POST", **headers)).status_code == status
    assert (await reader.ask(method="GET", **headers)).status_code == 200


@pytest.mark.parametrize("path", ["/page", "/open", "/nothing"])
@pytest.mark.parametrize("access", [Access(), Access(everybody=True)], ids=["nobody", "everybody"])
async def test_every_answer_keeps_a_page_to_itself(path: str, access: Access) -> None:
    answer = await Reader(access).ask(path)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy and "*" not in policy
