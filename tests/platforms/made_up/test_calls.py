"""Words for calls that no real definition uses, through the whole walk: credentials, pages, bodies, headers, actions.

Definition, validation, observation, plan, write and read back are the real ones; the other side is the made-up
``garden``. What it was sent and what it holds in the end is what counts. Fields: ``test_fields.py``.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from agent.live.budget_registry import BudgetRegistry
from agent.model.change import Action
from agent.reconcile.once import reconcile_once
from agent.reconcile.wish import Wish
from tests.platforms.conformance.emulated import told
from tests.platforms.made_up.garden import TICKET_SECONDS
from tests.platforms.made_up.scene import (
    DESK,
    LINK,
    PLATFORM,
    TICKET,
    Scene,
    Story,
    manifest,
    plant,
)

# Who asks


@pytest.mark.parametrize(
    ("credentials", "shown"),
    [
        (LINK, lambda asked: asked.query.get("access_key") == "a&k"),
        (DESK, lambda asked: asked.headers.get("authorization", "").startswith("Basic ")),
        (TICKET, lambda asked: asked.headers.get("cookie", "").startswith("ticket=t")),
    ],
    ids=["query", "basic", "cookie"],
)
def test_a_credential_travels_as_query_as_basic_and_as_cookie(
    play: Story, credentials: Mapping[str, str], shown: Callable[[Any], bool]
) -> None:
    async def story(scene: Scene) -> None:
        scene.adopt(credentials)
        scene.commit(manifest("Bed", "south"))
        await scene.does(Action.CREATE)
        assert all(shown(asked) for asked in scene.sent())
        assert {asked.headers.get("x-region") for asked in scene.sent()} == {"north"}  # `request.headers`

    play(story)


def test_headers_of_every_request_go_with_the_probe_too(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.garden.strict = True
        scene.commit(manifest("Note", "one", {"text": "rake"}))  # without a list, only the probe proves the credential
        await scene.does(Action.CREATE)

    play(story)


def test_a_ticket_is_renewed_before_the_moment_at_which_it_ends(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.adopt(TICKET)
        scene.commit(manifest("Bed", "south"))
        for _ in range(8):
            await scene.look()
            await scene.clock.sleep(TICKET_SECONDS / 3)
        assert 401 not in {asked.status for asked in scene.garden.asked}
        assert len(scene.garden.tickets) > 2

    play(story)


def test_targets_with_credentials_of_their_own_share_the_budget_of_one_address(play: Story) -> None:
    async def story(scene: Scene) -> None:
        budgets = BudgetRegistry(scene.clock, scene.store, random.Random(3))
        first = scene.another(LINK, budgets=budgets)
        second = scene.another(DESK, budgets=budgets)
        assert first.api.budget is second.api.budget
        kind = PLATFORM.kinds["Bed"]
        for _ in range(6):
            await first.api.list(kind, ())
            await second.api.list(kind, ())
        times = [asked.time for asked in scene.garden.asked]
        assert all(sum(1 for each in times if time <= each < time + 1) <= 4 for time in times)

    play(story)


# Pages


def test_a_list_is_walked_by_the_links_of_a_header(play: Story) -> None:
    async def story(scene: Scene) -> None:
        beds = [manifest("Bed", name) for name in ("east", "south", "west")]
        scene.commit(*beds)
        await scene.does(Action.CREATE, Action.CREATE, Action.CREATE)
        assert [asked.query.get("from") for asked in scene.sent()[-3:]] == [None, "1", "2"]
        scene.commit(*beds[:2])
        await scene.does(Action.DELETE, wish=Wish(confirm_deletes=1))
        assert [*scene.garden.beds] == ["east", "south"]

    play(story)


def test_a_list_ends_with_the_number_of_its_pages_or_a_short_one(play: Story) -> None:
    async def story(scene: Scene) -> None:
        seeds = [manifest("Seed", f"s{number}") for number in range(4)]
        for some in (3, 4):
            scene.commit(*seeds[:some])
            await scene.does(*[Action.CREATE] * (some if some == 3 else 1))
            # Three: the second page is short. Four: it is full, and the number of pages says that there is no third.
            assert [asked.query["page"] for asked in scene.sent()[-2:]] == ["0", "1"]

    play(story)


def test_a_list_is_walked_by_a_cursor_until_there_is_no_more(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.garden.beds["south"] = {"name": "south"}
        plants = [{**plant(), "metadata": {"name": name, "bed": "south"}} for name in ("elm", "fir", "oak")]
        scene.commit(*plants)
        await scene.does(Action.CREATE, Action.CREATE, Action.CREATE)
        cursors = [asked.query.get("after") for asked in scene.sent() if asked.path.endswith("/plants")]
        assert cursors[-3:] == [None, "p1", "p2"]

    play(story)


def test_what_a_list_tells_to_be_unchanged_is_not_read_and_what_has_changed_is(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.garden.beds["south"] = {"name": "south"}
        scene.commit({**plant(), "kind": "Hedge"})
        await scene.does(Action.CREATE)
        await scene.clock.sleep(3600)
        before = len(scene.sent())
        await scene.look(Wish())
        assert [asked.path for asked in scene.sent()[before:]] == ["/north/api/beds/south/plants"]
        (uuid,) = scene.garden.plants
        scene.garden.plants[uuid] |= {"revision": 7, "notes": "by a person"}
        await scene.look(Wish())
        assert scene.garden.plants[uuid]["notes"] == "by the wall"

    play(story)


# Bodies and headers


def test_a_create_has_a_body_of_its_own_as_a_form_with_parts(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.garden.beds["south"] = {"name": "south"}
        scene.commit(plant())
        await scene.does(Action.CREATE)
        (made,) = scene.garden.plants.values()
        assert (made["label"], made["species"], made["notes"]) == ("oak", "quercus", "by the wall")
        (create,) = [asked for asked in scene.sent() if asked.method == "POST"]
        assert create.headers["content-type"].startswith("multipart/form-data; boundary=")
        assert create.headers["idempotency-key"]

    play(story)


@pytest.mark.parametrize("drift", ["heal", "report"])
def test_what_a_create_leaves_out_is_written_by_the_update_that_follows(play: Story, drift: str) -> None:
    async def story(scene: Scene) -> None:
        scene.adopt(LINK, drift=drift)
        scene.commit(manifest("Tool", "rake", {"colour": "red"}))
        for _ in range(3):
            await scene.look()
            await scene.clock.sleep(60)
        assert scene.garden.tools == {"rake": {"name": "rake", "colour": "red"}}
        assert scene.writes() == ["POST /tools", "PUT /tools/rake"]

    play(story)


def test_an_update_merges_and_carries_the_revision_of_the_last_read(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.garden.beds["south"] = {"name": "south"}
        scene.commit(plant())
        await scene.does(Action.CREATE)
        (uuid,) = scene.garden.plants
        scene.garden.plants[uuid] |= {"revision": 5, "colour": "green"}
        scene.commit(plant(notes="by the gate"))
        await scene.does(Action.UPDATE)
        assert scene.garden.plants[uuid]["notes"] == "by the gate"
        assert scene.garden.plants[uuid]["colour"] == "green"
        patch = [asked for asked in scene.sent() if asked.method == "PATCH"][-1]
        assert json.loads(patch.body) == {"notes": "by the gate", "revision": 5}

    play(story)


def test_an_update_is_sent_on_the_condition_that_nobody_changed_the_object(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.garden.beds["south"] = {"name": "south"}
        scene.commit({**plant(), "kind": "Vine"})
        await scene.does(Action.CREATE)
        (uuid,) = scene.garden.plants
        scene.garden.conditional = True
        scene.garden.plants[uuid] |= {"revision": 5}
        scene.commit({**plant(notes="by the gate"), "kind": "Vine"})
        await scene.does(Action.UPDATE)
        patch = [asked for asked in scene.sent() if asked.method == "PATCH"][-1]
        assert patch.headers.get("if-match") == '"r5"'

    play(story)


class Contended(httpx.AsyncBaseTransport):
    """The way to the garden; right before an update arrives somebody changes what it is about, so many times."""

    def __init__(self, scene: Scene, times: int) -> None:
        self.scene, self.times = scene, times
        self.inner = httpx.ASGITransport(app=scene.garden)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PATCH" and self.times:
            self.times -= 1
            for plant in self.scene.garden.plants.values():
                plant["revision"] = plant.get("revision", 0) + 1
        return await self.inner.handle_async_request(request)


@pytest.mark.row("A8")
@pytest.mark.parametrize(("times", "code"), [(1, ""), (2, "contention")])
def test_a_version_conflict_is_looked_at_once_more_and_never_forced(play: Story, times: int, code: str) -> None:
    async def story(scene: Scene) -> None:
        scene.garden.beds["south"] = {"name": "south"}
        scene.commit({**plant(), "kind": "Vine"})
        await scene.does(Action.CREATE)
        scene.wire = lambda: Contended(scene, times)  # type: ignore[method-assign]
        scene.adopt(LINK)
        scene.commit({**plant(notes="by the gate"), "kind": "Vine"})
        report = await reconcile_once(scene.target, Wish(fresh=True))
        assert [each.code for each in report.outcomes] == [code]
        (made,) = scene.garden.plants.values()
        assert (made.get("notes") == "by the gate") is (code == "")

    play(story)


def test_a_replacement_creates_first_where_the_definition_says_so(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.garden.beds["south"] = {"name": "south"}
        scene.commit(plant())
        await scene.does(Action.CREATE)
        before = len(scene.writes())
        scene.commit(plant(species="fagus"))
        await scene.look()
        assert scene.writes()[before:] == ["POST /beds/south/plants", "DELETE /beds/south/plants/p1"]
        (made,) = scene.garden.plants.values()
        assert made["species"] == "fagus"

    play(story)


def test_an_object_that_was_deleted_is_made_again_although_its_key_was_used_before(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.garden.beds["south"] = {"name": "south"}
        scene.commit(plant())
        await scene.does(Action.CREATE)
        scene.garden.plants.clear()
        await scene.clock.sleep(60)
        await scene.does(Action.CREATE)
        assert len(scene.garden.plants) == 1

    play(story)


def test_an_action_sends_text_and_is_done_when_the_object_says_so(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.garden.beds["south"] = {"name": "south"}
        wet = plant()
        wet["lifecycle"]["actions"] = {"water": {"litres": "3"}}
        scene.commit(wet)
        await scene.look()
        await scene.clock.sleep(60)
        await scene.look()
        (made,) = scene.garden.plants.values()
        assert (made["wet"], made["litres"]) == (True, "3")
        assert len([write for write in scene.writes() if write.endswith("/water")]) == 1

    play(story)


@pytest.mark.row("K18")
def test_an_action_whose_answer_is_lost_is_judged_by_what_makes_it_done(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.garden.beds["south"] = {"name": "south"}
        scene.commit(plant())
        await scene.does(Action.CREATE)
        wet = plant()
        wet["lifecycle"]["actions"] = {"water": {"litres": "3"}}
        scene.commit(wet)
        scene.garden.loses = "/water"
        await scene.look()
        scene.garden.loses = ""
        for _ in range(3):
            await scene.clock.sleep(60)
            report = await scene.look()
        assert told(report) == ""
        assert len([write for write in scene.writes() if write.endswith("/water")]) == 1

    play(story)


@pytest.mark.parametrize(
    ("kind", "member", "before", "after", "shelf"),
    [
        ("Note", "text", "rake the leaves", "sweep: the yard\n", "notes"),
        ("Photo", "data", base64.b64encode(b"\x89PNG\x00").decode(), base64.b64encode(b"\xff\xfe").decode(), "photos"),
    ],
    ids=["text", "bytes"],
)
def test_a_body_is_text_or_bytes(play: Story, kind: str, member: str, before: str, after: str, shelf: str) -> None:
    async def story(scene: Scene) -> None:
        for value, action in ((before, Action.CREATE), (after, Action.UPDATE)):
            scene.commit(manifest(kind, "one", {member: value}))
            await scene.does(action)
            expected = value.encode() if kind == "Note" else base64.b64decode(value)
            assert scene.garden.files[shelf, "one"] == expected

    play(story)
