"""Rows C1 and C2 of the fault model in whole passes: a token that dies in mid-run, and a scope that refuses us."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.errors import Unauthorized
from agent.model.outcome import Result
from agent.reconcile.wish import Wish
from tests.platforms.conformance.emulated import BETWEEN_PASSES, Emulated
from tests.platforms.conformance.examples import examples_of_kinds
from tests.simulation.places import make_template, memory_folder
from tests.simulation.virtual_time import VirtualLoop, run

EXAMPLE = next(each for each in examples_of_kinds() if str(each) == "dataos/v1-workflow")


@pytest.fixture
def at(tmp_path: Path) -> Iterator[tuple[Emulated, VirtualLoop]]:
    with tempfile.TemporaryDirectory(dir=memory_folder()) as name:
        loop = VirtualLoop()
        emulated = Emulated(EXAMPLE, tmp_path, make_template(Path(name)), loop)
        yield emulated, loop
        emulated.close()


def workflow(number: int, workspace: str = "public", cron: str = "0 1 * * *") -> dict[str, Any]:
    return {
        "apiVersion": "dataos/v1",
        "kind": "Workflow",
        "metadata": {"name": f"w{number}", "workspace": workspace},
        "spec": {
            "version": "v1",
            "workflow": {"schedule": {"cron": cron}, "dag": [{"name": "a", "spec": {"stack": "flare:7.0"}}]},
        },
    }


def refusal(status: int) -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": "REFUSED", "message": "not you"}})


def writes(emulated: Emulated) -> Counter[int]:
    return Counter(each.status for each in emulated.wire.sent if each.method not in ("GET", "HEAD"))


def test_c1_a_token_that_expires_in_mid_run_stops_the_writes_of_the_pass(at: tuple[Emulated, VirtualLoop]) -> None:
    emulated, loop = at

    async def closes(request: httpx.Request) -> httpx.Response | None:
        return refusal(401) if writes(emulated)[201] >= 2 else None

    async def story() -> None:
        emulated.commit(*map(workflow, range(30)))
        emulated.wire.before = closes
        report = await emulated.one_pass()
        results = Counter((each.result, each.code) for each in report.outcomes)
        done = results.pop((Result.DONE, ""))
        # As many as were under way at once may have been refused; of the rest none was sent.
        assert writes(emulated)[201] == done < 12
        assert writes(emulated)[401] <= 8
        assert results[(Result.SKIPPED, "Unauthorized")] >= 30 - done - 8
        assert set(results) <= {(Result.SKIPPED, "Unauthorized"), (Result.NOT_DONE, "REFUSED")}
        assert not emulated.store.open_intents("main"), "a refusal leaves no doubt"

        seen = len(emulated.wire.sent)
        emulated.commit()  # everything is to go, and nothing can be read: nothing goes
        await emulated.clock.sleep(BETWEEN_PASSES)
        with pytest.raises(Unauthorized, match="not you"):
            await emulated.one_pass(Wish(fresh=True, confirm_deletes=30))
        emulated.wrote_nothing_since(seen)

        emulated.wire.before = None
        emulated.commit(*map(workflow, range(30)))
        await emulated.clock.sleep(BETWEEN_PASSES)
        await emulated.settles()
        assert len(emulated.living("workflow")) == 30

    run(story(), loop)


def test_c2_a_workspace_that_refuses_us_is_held_and_told_and_the_others_go_on(at: tuple[Emulated, VirtualLoop]) -> None:
    emulated, loop = at

    async def closes(request: httpx.Request) -> httpx.Response | None:
        return refusal(403) if "workspace=closed" in str(request.url) else None

    async def story() -> None:
        emulated.wire.before = closes
        emulated.commit(workflow(1), workflow(2, "closed"), workflow(3))
        report = await emulated.one_pass()
        told = {each.change.key.name: (each.result, each.code) for each in report.outcomes}
        assert told == {"w1": (Result.DONE, ""), "w2": (Result.HELD, "Unknown"), "w3": (Result.DONE, "")}
        conditions = {each.type: each for each in report.conditions}
        assert not conditions["Ready"].status

        seen = len(emulated.wire.sent)
        emulated.commit(workflow(1), workflow(3))
        await emulated.clock.sleep(BETWEEN_PASSES)
        await emulated.one_pass(Wish(fresh=True, confirm_deletes=1))
        emulated.wrote_nothing_since(seen)

    run(story(), loop)
