"""The pages of a process that works at none of the targets: all that it shows is what the store tells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.clock import SystemClock
from agent.reconcile.loop import Loop
from agent.server.access import Access
from agent.server.app import create_app
from agent.server.pages.routes import page_routes
from agent.source import Wakeups
from agent.store.store import Store
from agent.viewing.facts import Facts
from agent.viewing.tail import Tail
from agent.viewing.views import views_of
from tests.pages.checks import paths_of
from tests.pages.scenes import fill
from tests.unit.viewing.looking import Api, inline

VOID = {"meta", "link", "input", "br", "wbr", "hr", "img", "path", "circle", "rect", "use"}


class Structure(HTMLParser):
    """What is open at a place; every element must be closed where its parent is, and no id be there twice."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: set[str] = set()
        self.wrong: list[str] = []
        self.heads = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.heads += tag == "h1"
        for name, value in attrs:
            if name == "id" and value:
                self.wrong += [f"id {value} twice"] if value in self.ids else []
                self.ids.add(value)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and (not self.open or self.open.pop() != tag):
            self.wrong.append(f"</{tag}> at {self.getpos()}")


@pytest.mark.parametrize("count", [0, 1, 250])
def test_every_page_is_whole(tmp_path: Path, count: int) -> None:
    async def ask(check: Callable[[str, str], None]) -> None:
        clock, api = SystemClock(), Api()
        store = Store.open(f"sqlite:///{tmp_path / 'state.db'}", clock=clock)
        fill(store, count, clock.now())
        facts = Facts(store, Loop([], Wakeups(clock=clock), 60.0), clock, Tail(), "place", clock.now())
        routes = page_routes(views_of(facts, inline), facts.tail.beyond, scrub=str)
        transport = httpx.ASGITransport(app=create_app((), routes, access=Access(everybody=True)))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            for path in paths_of(count):
                answer = await client.get(path)
                assert answer.status_code == 200, (path, answer.text)
                check(path, answer.text)
                where = "/api/overview" if path == "/" else f"/api{path}"
                told = (await client.get(where)).json()
                assert not (wrong := api.wrong(where, told)), (path, wrong)
        store.close()

    def check(path: str, text: str) -> None:
        seen = Structure()
        seen.feed(text)
        assert not seen.wrong and not seen.open, (path, seen.wrong, seen.open)
        assert seen.heads == 1, path
        assert len(text) < 600_000, path

    asyncio.run(ask(check))


@pytest.mark.row("L3")
def test_a_page_of_resources_follows_the_page_before(tmp_path: Path) -> None:
    async def ask() -> list[Any]:
        clock = SystemClock()
        store = Store.open(f"sqlite:///{tmp_path / 'state.db'}", clock=clock)
        fill(store, 450, clock.now())
        facts = Facts(store, Loop([], Wakeups(clock=clock), 60.0), clock, Tail(), "place", clock.now())
        view = views_of(facts, inline)["resources"]
        pages, after = [], ""
        while after is not None:
            pages.append(await view({}, {"state": "all", "after": after}))
            after = pages[-1]["next"]
        store.close()
        return pages

    pages = asyncio.run(ask())
    assert [page["shown"] for page in pages] == [200, 200, 50]
    names = [row["key"]["name"] for page in pages for row in page["rows"]]
    assert len(set(names)) == 450
    states = [row["state"] for page in pages for row in page["rows"]]
    assert states[0] == "failed" and states[-1] == "in sync"
