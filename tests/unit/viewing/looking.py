"""The pages of a real loop at work in virtual time, asked over ASGI: what a person sees beside a story."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
from jsonschema import Draft202012Validator

from agent.server.access import Access
from agent.server.app import create_app
from agent.server.pages.openapi import openapi_document
from agent.server.pages.routes import page_routes
from agent.viewing.facts import Facts
from agent.viewing.tail import Tail
from agent.viewing.views import views_of
from tests.unit.reconcile.at_work import AtWork


async def inline(step: Callable[[], Any]) -> Any:
    return step()


class Looking:
    """``page`` gives the HTML of a path, ``document`` its JSON, held to the description of the API."""

    def __init__(self, at: AtWork, *, scrub: Callable[[str], str] = str) -> None:
        self._api = Api()
        self.tail = Tail()
        store, clock = at.scene.target.store, at.scene.clock
        facts = Facts(store, at.loop, clock, self.tail, "sqlite:///state.db", clock.now())
        routes = page_routes(views_of(facts, inline), self.tail.beyond, scrub=scrub, stopping=at.loop.is_stopping)
        transport = httpx.ASGITransport(app=create_app((), routes, access=Access(everybody=True)))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8642")

    async def page(self, path: str, status: int = 200) -> str:
        answer = await self.client.get(path, headers={"Accept": "text/html,*/*"})
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        return answer.text

    async def document(self, path: str, status: int = 200, **headers: str) -> dict[str, Any]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.client.get(path, headers={"Accept": "application/json", **named})
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        described = path if path.startswith("/api/") else f"/api{path}" if path != "/" else "/api/overview"
        assert not (wrong := self._api.wrong(described, found, status)), (path, wrong)
        return found


class Api:
    """The API as its own description tells it: ``wrong`` is what an answer has that the description does not."""

    def __init__(self) -> None:
        self._document = openapi_document()

    def wrong(self, path: str, document: dict[str, Any], status: int = 200) -> str:
        """ "" for an answer that is as described. A path that is not described fails."""
        bare = path.partition("?")[0]
        ways = self._document["paths"]
        found = [
            way
            for way in ways
            if re.fullmatch(re.sub(r"\{name\}", ".+", re.sub(r"\{(?!name)\w+\}", "[^/]+", way)), bare)
        ]
        assert found, f"{bare} is not described"
        content = ways[found[-1]]["get"]["responses"][str(status)]["content"]["application/json"]
        schema = {**content["schema"], "components": self._document["components"]}
        error = next(iter(Draft202012Validator(schema).iter_errors(document)), None)
        return "" if error is None else f"{error.json_path}: {error.message[:300]}"


def _pattern(way: str) -> str:
    """``name`` holds the scope too, so it may have slashes; the other words of a path have none."""
    return re.sub(r"\{\w+\}", "[^/]+", way.replace("{name}", ".+"))
