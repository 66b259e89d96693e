"""The shipped definition of DataOS against the sandbox, which knows the API page and not the definition."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from agent.definitions.load import load_platform
from agent.live.budget import Budget
from agent.live.purpose import Purpose
from agent.model.identity import Key
from agent.sandbox import create_app
from agent.sandbox.faults import NAMED
from agent.sandbox.messages import ConnectionLost
from tests.unit.live.made_up import TOKEN, VirtualClock, api_of

PLATFORM = load_platform("dataos/v1")
WORKFLOW = PLATFORM.kinds["Workflow"]
SCOPE = (("workspace", "analytics"),)
SPEC = {"version": "v1", "tags": ["daily"], "workflow": {"dag": [{"name": "t", "spec": {"stack": "flare:7.0"}}]}}


class InProcess(httpx.ASGITransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await super().handle_async_request(request)
        except ConnectionLost as error:
            raise httpx.ReadError("lost") from error


@asynccontextmanager
async def sandbox(*, limited: bool = False, **words: Any) -> AsyncIterator[tuple[Any, Any, VirtualClock]]:
    async with VirtualClock().running() as clock:
        app = create_app(token=TOKEN, clock=clock, limits=limited, **words)
        windows = PLATFORM.budget.windows if limited else ()
        budget = Budget(windows, 0.0, clock, None, "t", rule=PLATFORM.budget)
        api = api_of(InProcess(app), platform=PLATFORM, clock=clock, budget=budget)
        workspace = PLATFORM.kinds["Workspace"]
        await api.send(api.prepare("create", workspace, Key("target", "Workspace", (), "analytics"), None, {}))
        yield api, app.state.sandbox, clock


def key(name: str) -> Key:
    return Key("target", "Workflow", SCOPE, name)


async def create(api: Any, name: str) -> Any:
    return await api.send(api.prepare("create", WORKFLOW, key(name), None, SPEC))


async def test_a_resource_is_made_found_read_changed_and_deleted() -> None:
    async with sandbox() as (api, _, clock):
        made = await create(api, "daily")
        assert (made.answer, made.landed) == ("ok", "yes")
        assert (await create(api, "daily")).answer == "exists"
        await clock.sleep(30)
        listing = await api.list(WORKFLOW, SCOPE)
        assert ([row.name for row in listing.rows], listing.complete) == (["daily"], True)
        assert listing.rows[0].health == "ready"
        read = await api.get(WORKFLOW, key("daily"))
        assert read.answer == "ok" and read.item["spec"]["workflow"] == SPEC["workflow"]
        changed = await api.send(api.prepare("update", WORKFLOW, key("daily"), None, {**SPEC, "description": "new"}))
        assert changed.landed == "yes"
        assert (await api.get(WORKFLOW, key("daily"))).item["description"] == "new"
        assert (await api.send(api.prepare("delete", WORKFLOW, key("daily"), None, None))).landed == "yes"
        await clock.sleep(30)
        assert (await api.get(WORKFLOW, key("daily"))).answer == "notFound"
        assert (await api.send(api.prepare("delete", WORKFLOW, key("daily"), None, None))).answer == "notFound"


async def test_a_long_list_comes_whole() -> None:
    async with sandbox() as (api, _, _clock):
        names = [f"flow-{number:03}" for number in range(230)]
        for name in names:
            assert (await create(api, name)).answer == "ok"
        listing = await api.list(WORKFLOW, SCOPE)
        assert sorted(row.name for row in listing.rows) == names
        assert listing.complete, listing.why


@pytest.mark.row("A13")
async def test_the_platforms_limits_are_never_met() -> None:
    async with sandbox(limited=True) as (api, world, clock):
        await asyncio.gather(*(api.get(WORKFLOW, key("daily"), None, Purpose.SWEEP) for _ in range(450)))
        statuses = [entry.status for entry in world.requests]
        assert len(statuses) >= 450 and 429 not in statuses
        assert clock.elapsed < 360


@pytest.mark.parametrize(("after", "there"), [(False, "notFound"), (True, "ok")])
@pytest.mark.row("A15", "A16")
async def test_a_lost_answer_to_a_create_is_unknown(after: bool, there: str) -> None:
    async with sandbox() as (api, world, clock):
        world.faults.add({"do": "reset", "method": "POST", "after": after})
        reply = await create(api, "daily")
        assert (reply.answer, reply.landed) == ("broken", "unknown")
        await clock.sleep(30)
        assert (await api.get(WORKFLOW, key("daily"))).answer == there


async def test_a_wrong_token_is_unauthenticated_everywhere() -> None:
    async with VirtualClock().running() as clock:
        app = create_app(token="another-token", clock=clock, limits=False)
        api = api_of(InProcess(app), platform=PLATFORM, clock=clock)
        assert (await api.get(WORKFLOW, key("daily"))).answer == "unauthenticated"
        assert (await api.prove_credential()).answer == "unauthenticated"
        assert (await api.list(WORKFLOW, SCOPE)).answer == "unauthenticated"
        assert (await create(api, "daily")).landed == "no"


@pytest.mark.row("A26")
async def test_rows_that_an_ignored_filter_lets_through_are_ignored() -> None:
    async with sandbox() as (api, world, _clock):
        service = PLATFORM.kinds["Service"]
        spec = {"version": "v1", "service": {"servicePort": 80, "image": "x"}}
        other = Key("target", "Service", SCOPE, "web")
        assert (await api.send(api.prepare("create", service, other, None, spec))).answer == "ok"
        await create(api, "daily")
        world.faults.add({"fault": "filter-ignored"})
        listing = await api.list(WORKFLOW, SCOPE)
        assert [row.name for row in listing.rows] == ["daily"]


WRONG = sorted(set(NAMED) - {"slow", "late", "drip", "stale", "filter-ignored", "rate-limited", "shifted-page"})


@pytest.mark.parametrize("fault", WRONG)
async def test_no_fault_is_raised_or_taken_for_an_empty_list_or_for_absence(fault: str) -> None:
    async with sandbox() as (api, world, clock):
        for name in ("daily", "weekly", "yearly"):
            await create(api, name)
        await clock.sleep(30)
        world.faults.add({"fault": fault})
        listing = await api.list(WORKFLOW, SCOPE)
        read = await api.get(WORKFLOW, key("daily"))
        assert fault == "empty-list" or not listing.complete or len(listing.rows) == 3
        assert read.answer != "notFound" or fault == "not-found"
        assert read.answer != "ok" or read.item["name"] == "daily"
        written = await create(api, "new")
        there = any(place[-1] == "new" for place in _names(world))
        assert written.landed == "unknown" or (written.landed == "yes") == there


def _names(world: Any) -> list[tuple[str, ...]]:
    return [(commit.name,) for commit in world.commits if commit.after is not None]
