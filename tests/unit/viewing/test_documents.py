"""What the documents of the pages say beside a loop at work: states, counts, sides, what waits, what is asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agent.config.model import Limits
from agent.model.suspension import Suspension
from agent.model.window import ApplyWindow
from tests.pages.scenes import trouble
from tests.unit.reconcile.at_work import INTERVAL, AtWork, play_at_work
from tests.unit.reconcile.scene import Scene, workflow, wrapped
from tests.unit.viewing.looking import Looking

ALPHA = "/api/resources/main/Workflow/public/alpha"
FILES = {"alpha.yaml": workflow("alpha", 1), "beta.yaml": workflow("beta", 2)}
BROKEN = b"name: beta\nversion: v1\ntype: workflow\nworkspace: public\nworkflow: {schedule: {cronn: x}}\n"


def by_hand(at: AtWork, name: str, hour: int) -> None:
    """A person edits the live object."""
    change = {"workflow": {"schedule": {"cron": f"0 {hour} * * *"}}}
    at.scene.sandbox.person_edit("workflow", name, change, workspace="public")


def test_overview_counts_what_the_list_shows(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        look = Looking(at)
        assert (await look.document("/"))["sentence"] == "no pass has ended yet"
        await at.pass_time(2.0)
        seen = await look.document("/")
        assert (seen["sentence"], seen["counts"]) == ("1 of 1 target in sync", {"in sync": 2})
        target = seen["targets"][0]
        assert target["live"] == {"ours": 2, "as_git": 2}
        assert target["day"]["marks"].endswith("a") and len(target["day"]["marks"]) == 144
        at.commit(beta=BROKEN)
        await at.pass_time(2.0)
        seen = await look.document("/")
        assert seen["sentence"] == "0 of 1 target in sync; 1 resource invalid"
        assert seen["counts"] == {"invalid": 1, "in sync": 1}
        assert [each["key"]["name"] for each in seen["targets"][0]["troubles"]] == ["beta"]
        rows = await look.document("/resources")
        assert [(row["key"]["name"], row["state"]) for row in rows["rows"]] == [("beta", "invalid")]
        assert (rows["matching"], rows["total"], rows["filters"]["state"]) == (1, 2, "attention")

    play_at_work(tmp_path, FILES, story)


def test_api_and_page_give_one_document(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        look = Looking(at)
        await at.pass_time(2.0)
        for page, api in (
            ("/", "/api/overview"),
            ("/resources?state=all", "/api/resources?state=all"),
            ("/plan", "/api/plan"),
            ("/history/1", "/api/history/1"),
            ("/events", "/api/events"),
            ("/health", "/api/health"),
            (ALPHA.removeprefix("/api"), ALPHA),
        ):
            assert await look.document(page) == await look.document(api)
            assert "<main" in await look.page(page)

    play_at_work(tmp_path, FILES, story)


@pytest.mark.row("L3")
def test_resource_shows_three_sides_and_asks_only_when_asked(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        look = Looking(at)
        await at.pass_time(2.0)
        at.sent()
        seen = await look.document(ALPHA)
        cron = next(row for row in seen["leaves"] if row["path"] == "workflow.schedule.cron")
        assert {cron[side] for side in ("git", "applied", "live")} == {"0 1 * * *"} and not cron["differs"]
        assert [line["line"] for line in seen["manifest"]["lines"] if "cron" in line["text"]] == [6]
        assert [event["action"] for event in seen["history"]] == ["create"]
        assert seen["cost"]["look"] == 1 and seen["has_logs"]
        assert at.sent() == []
        by_hand(at, "alpha", 7)
        seen = await look.document(f"{ALPHA}?live=now")
        cron = next(row for row in seen["leaves"] if row["path"] == "workflow.schedule.cron")
        assert (cron["git"], cron["live"], cron["differs"]) == ("0 1 * * *", "0 7 * * *", True)
        assert [row["path"] for row in seen["leaves"] if row["differs"]] == ["workflow.schedule.cron"]
        assert len(at.sent()) == 1
        refused = await look.document(f"{ALPHA}?live=now&logs=now", sec_fetch_site="cross-site")
        assert refused["live"]["error"]["code"] == refused["logs"]["error"]["code"] == "refused"
        assert at.sent() == []
        assert (await look.document(f"{ALPHA}?logs=now"))["logs"]["lines"]

    play_at_work(tmp_path, FILES, story)


def test_what_is_held_comes_with_the_command_that_decides(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        look = Looking(at)
        await at.pass_time(2.0)
        at.commit(beta=None)
        await at.pass_time(2.0)
        waiting = (await look.document("/plan"))["targets"][0]["waiting"]
        assert [(each["state"], each["would"], each["reason"]) for each in waiting["changes"]] == [
            ("held", "delete", "DeleteLimit")
        ]
        assert waiting["changes"][0]["commands"] == ["datakeel diff --confirm-deletes 1 --target main"]
        assert "datakeel diff --confirm-deletes 1 --target main" in await look.page("/plan")

    def prepare(scene: Scene) -> None:
        scene.target.config = replace(scene.target.config, limits=Limits(deletes_max=0))

    play_at_work(tmp_path, FILES, story, prepare=prepare)


def test_suspended_and_reported_are_not_failures(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        look, store = Looking(at), at.scene.target.store
        await at.pass_time(2.0)
        store.suspend(Suspension("main", "Workflow/alpha", "a backfill", "ann", at.scene.clock.now()))
        at.commit(alpha=workflow("alpha", 4))
        by_hand(at, "beta", 9)
        await at.pass_time(3 * INTERVAL)
        seen = await look.document("/")
        assert seen["counts"] == {"drifted": 1, "suspended": 1}
        assert seen["sentence"] == "0 of 1 target in sync; 1 resource drifted, 1 suspended; 1 suspension in force"
        alpha = await look.document(ALPHA)
        assert alpha["commands"] == ["datakeel resume --target main"]
        cron = next(row for row in alpha["leaves"] if row["path"] == "workflow.schedule.cron")
        assert (cron["git"], cron["applied"], cron["live"]) == ("0 4 * * *", "0 1 * * *", "0 1 * * *")

    files = {"alpha.yaml": workflow("alpha", 1), "beta.yaml": wrapped("beta", 2, drift="report")}

    def prepare(scene: Scene) -> None:
        scene.target.config = replace(scene.target.config, verify_seconds=INTERVAL)

    play_at_work(tmp_path, files, story, prepare=prepare)


def test_what_waits_survives_a_restart(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        look = Looking(at)
        await at.pass_time(2.0)
        at.commit(beta=BROKEN)
        await at.pass_time(2.0)
        before = (await look.document("/plan"))["targets"][0]["waiting"]
        kept = at.scene.target.store.boards()["main"]["waiting"]
        assert kept == before and kept["invalid"][0]["name"] == "beta"

    play_at_work(tmp_path, FILES, story)


def test_health_tells_what_stands_what_waits_and_what_was_refused(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        look, store = Looking(at), at.scene.target.store
        await at.pass_time(2.0)
        seen = await look.document("/health")
        assert (seen["configuration"], seen["alerts"]) == (None, {"standing": [], "more": False})
        assert "Nobody is told" in await look.page("/health")
        trouble(store, at.scene.clock.now())
        await at.pass_time(2.0)
        seen = await look.document("/health")
        assert [(each["subject"], each["told_times"]) for each in seen["alerts"]["standing"]] == [
            ("Workflow/daily-0003", 2),
            ("Workflow/daily-0004", 0),
        ]
        assert [(each["name"], each["waiting"], each["attempts"]) for each in seen["sinks"]] == [("chat", 3, 2)]
        assert "datakeel.yaml:12:12" in seen["configuration"]["problems"][0]
        page = await look.page("/health")
        assert "A changed configuration is refused" in page and "not yet: it may pass" in page

    play_at_work(tmp_path, FILES, story)


def test_an_apply_window_is_among_what_happens_next(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        look = Looking(at)
        await at.pass_time(2.0)
        turns = [each for each in (await look.document("/"))["next"] if each["what"] != "look"]
        assert [each["told"] for each in turns] == ["its window opens: what waits may be written"]
        assert "its window opens" in await look.page("/")

    def prepare(scene: Scene) -> None:
        never_now = ApplyWindow(True, "0 0 29 2 *", 3600.0)
        scene.target.config = replace(scene.target.config, windows=(never_now,))

    play_at_work(tmp_path, FILES, story, prepare=prepare)


def test_unknown_things_are_told_as_such(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        look = Looking(at)
        await at.pass_time(2.0)
        for path in ("/resources/main/Workflow/public/none", "/resources/none/Workflow/x", "/history/77"):
            assert (await look.document(path, 404))["error"]["code"] == "not-found"
            assert "known" in await look.page(path, 404)
        assert (await look.document("/resources?state=none", 400))["error"]["code"] == "usage"
        assert (await look.document("/events?level=none", 400))["error"]["code"] == "usage"

    play_at_work(tmp_path, FILES, story)


@pytest.mark.row("L3")
def test_many_who_ask_at_once_are_given_one_document(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        look = Looking(at)
        await at.pass_time(2.0)
        first = await look.document("/")
        by_hand(at, "alpha", 7)
        at.commit(beta=BROKEN)
        await at.pass_time(0.5)
        assert await look.document("/") == first
        await at.pass_time(0.6)
        assert (await look.document("/"))["counts"] == {"invalid": 1, "in sync": 1}

    play_at_work(tmp_path, FILES, story)
