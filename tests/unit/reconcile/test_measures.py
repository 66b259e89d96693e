"""The numbers of an agent at work: what they say after a commit, drift, a hold, a failure; and their names."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.model.histogram import Histogram
from agent.reconcile.census import INFO_MAX
from agent.reconcile.measures import Measures
from agent.reconcile.states import STATES
from agent.secrets import Secret, expiry_of
from tests.unit.reconcile.at_work import INTERVAL, AtWork, play_at_work
from tests.unit.reconcile.scene import Scene, workflow, wrapped

FILES = {"alpha.yaml": wrapped("alpha", 1, drift="report"), "beta.yaml": workflow("beta", 1)}
# As design and documentation have them; what replicas and notifications count is counted by those who know it.
NAMES = {
    *("reconcile", "reconcile_seconds", "last_success_timestamp_seconds", "changes", "wakeups", "notifications"),
    *("resources", "resource_info", "drift", "drift_oldest_seconds", "verified_age_seconds", "held", "flapping"),
    *("api_calls", "api_call_seconds", "api_budget_left", "api_budget_limit", "api_wait_seconds", "api_throttled"),
    *("token_expiry_timestamp_seconds", "open_intents", "queue_depth", "queue_oldest_seconds"),
    *("git_fetch", "revision_info", "hooks", "build_info", "lease_held", "lease_lost"),
}


def measured(at: AtWork) -> dict[str, dict[tuple[str, ...], Any]]:
    target = at.scene.target
    measures = Measures(at.loop, target.store, target.clock, lambda: {("main", "202"): 3})
    return {family.name: dict(family.samples) for family in measures.begin()()}


def changed_by_hand(scene: Scene, name: str, hour: int) -> None:
    change = {"workflow": {"schedule": {"cron": f"0 {hour} * * *"}}}
    scene.sandbox.person_edit("workflow", name, change, workspace="public")


def test_the_numbers_tell_what_happened_and_how_it_stands(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        await at.pass_time(3 * INTERVAL)
        told = measured(at)
        assert set(told) == NAMES
        assert told["changes"] == {("main", "Workflow", "create", "done"): 2}
        assert told["reconcile"]["main", "applied"] == 1
        assert told["reconcile"]["main", "unchanged"] >= 2 and told["reconcile"]["main", "failed"] == 0
        assert told["reconcile_seconds"][()].cumulated()[-1][1] == sum(told["reconcile"].values())
        assert told["resources"] == {("main", "Workflow", "in_sync"): 2}
        assert told["resource_info"] == {
            ("main", "Workflow", "public/alpha", "in_sync"): 1,
            ("main", "Workflow", "public/beta", "in_sync"): 1,
        }
        assert told["api_calls"]["main", "write", "201"] == 2
        sent = sum(at.scene.target.api.calls.values())
        assert sum(told["api_calls"].values()) == sent == told["api_call_seconds"]["main",].cumulated()[-1][1]
        assert told["git_fetch"]["source", "fetched"] >= 3
        assert told["git_fetch"]["source", "failed"] == 0
        assert list(told["revision_info"]) == [("source", at.scene.source.fetch().commit)]
        assert told["hooks"] == {("main", "202"): 3}
        assert told["open_intents"] == {("main",): 0} and told["flapping"] == {("main",): 0}
        assert told["verified_age_seconds"]["main", "1"] >= told["verified_age_seconds"]["main", "0.5"] >= 0
        assert at.scene.clock.now() - told["last_success_timestamp_seconds"]["main",] <= 1.2 * INTERVAL
        assert told["lease_held"] == {("main",): 1} and told["lease_lost"] == {(): 0}
        assert told["wakeups"]["start",] == 1 and told["wakeups"]["poll",] >= 2
        assert told["queue_depth"] == {(): 0} and told["queue_oldest_seconds"] == {(): 0.0}

    play_at_work(tmp_path, FILES, story)


def test_drift_that_is_reported_is_counted_and_ages(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        await at.pass_time(2 * INTERVAL)
        assert measured(at)["drift_oldest_seconds"] == {("main",): 0.0}
        changed_by_hand(at.scene, "alpha", 5)
        await at.pass_time(400.0)
        first = measured(at)
        assert first["drift"] == {("main", "Workflow"): 1}
        assert first["resources"] == {("main", "Workflow", "drifted"): 1, ("main", "Workflow", "in_sync"): 1}
        await at.pass_time(100.0)
        later = measured(at)
        assert later["drift_oldest_seconds"]["main",] == first["drift_oldest_seconds"]["main",] + 100.0
        changed_by_hand(at.scene, "alpha", 1)
        await at.pass_time(400.0)
        assert measured(at)["drift"] == {} and measured(at)["drift_oldest_seconds"] == {("main",): 0.0}

    def prepare(scene: Scene) -> None:
        scene.target.config = replace(scene.target.config, verify_seconds=100.0)

    play_at_work(tmp_path, FILES, story, prepare=prepare)


def test_a_platform_that_fails_is_counted_and_what_was_known_stays(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        await at.pass_time(2 * INTERVAL)
        well = measured(at)["last_success_timestamp_seconds"]["main",]
        at.scene.sandbox.faults.add({"fault": "unauthorized"})
        await at.pass_time(10 * INTERVAL)
        told = measured(at)
        assert told["reconcile"]["main", "failed"] + told["reconcile"]["main", "held"] > 0
        assert told["last_success_timestamp_seconds"]["main",] - well < 10 * INTERVAL
        assert any(code == "401" for _, _, code in told["api_calls"])
        assert sum(told["resources"].values()) == 2
        at.scene.sandbox.faults.clear()

    play_at_work(tmp_path, FILES, story)


def test_a_new_process_knows_from_the_store_when_all_was_well(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        await at.pass_time(2 * INTERVAL)
        at.loop.tally.succeeded_at.clear()
        (moment,) = measured(at)["last_success_timestamp_seconds"].values()
        assert 0 <= at.scene.clock.now() - moment <= 2 * INTERVAL

    play_at_work(tmp_path, FILES, story)


def test_of_very_many_resources_none_has_a_series_of_its_own(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        await at.pass_time(1.0)
        desired = at.scene.target.last.desired
        assert desired is not None
        key = next(iter(desired.resources))
        many = {key._replace(name=f"name-{number}"): desired.resources[key] for number in range(INFO_MAX + 1)}
        object.__setattr__(desired, "resources", many)
        told = measured(at)
        assert told["resource_info"] == {}
        assert told["resources"]["main", "Workflow", "pending"] == INFO_MAX + 1
        assert {state for _, _, state in told["resources"]} <= set(STATES)

    play_at_work(tmp_path, FILES, story)


def token(claims: object) -> Secret:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return Secret(f"eyJhbGciOiJub25lIn0.{payload}.c2lnbmF0dXJl")


def test_a_token_may_say_when_it_ends() -> None:
    assert expiry_of(token({"exp": 1893456000})) == 1893456000.0
    for nothing in ({"exp": "soon"}, {"exp": True}, {"exp": -1}, {"exp": 1e300}, {}, [], 5):
        assert expiry_of(token(nothing)) is None
    assert expiry_of(Secret("a-token-that-is-no-jwt")) is None


def test_a_histogram_counts_what_took_as_long_or_less() -> None:
    took = Histogram((1.0, 10.0))
    for seconds in (0.0, 1.0, 1.5, 10.0, 11.0):
        took.note(seconds)
    assert took.cumulated() == [(1.0, 2), (10.0, 4), (float("inf"), 5)]
    copied = took.copy()
    took.note(1.0)
    assert copied.cumulated()[-1][1] == 5
