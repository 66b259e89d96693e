"""Deletes that the platform refuses while something depends on the object: all go in one pass, in the platform's order.

Depot, cluster and workflow name each other by an address inside their content, which no reference of a definition can
read: only the refusal tells the order.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.model.change import Action
from agent.model.outcome import Result
from agent.reconcile.wish import Wish
from tests.platforms.conformance.emulated import BETWEEN_PASSES, Emulated
from tests.platforms.conformance.examples import examples_of_kinds
from tests.simulation.places import make_template, memory_folder
from tests.simulation.virtual_time import VirtualLoop, run

EXAMPLE = next(each for each in examples_of_kinds() if str(each) == "dataos-poros/v1-depot")


@pytest.fixture
def at(tmp_path: Path) -> Iterator[tuple[Emulated, VirtualLoop]]:
    with tempfile.TemporaryDirectory(dir=memory_folder()) as name:
        loop = VirtualLoop()
        emulated = Emulated(EXAMPLE, tmp_path, make_template(Path(name)), loop)
        yield emulated, loop
        emulated.close()


def manifest(kind: str, name: str, section: str, **spec: Any) -> dict[str, Any]:
    scope = {"workspace": "public"} if kind in ("Workflow", "Cluster") else {}
    return {
        "apiVersion": EXAMPLE.platform.api_version,
        "kind": kind,
        "metadata": {"name": name, **scope},
        "spec": {"version": "v1", section: spec},
    }


SECRET = manifest("InstanceSecret", "orders-r", "instance-secret", type="key-value", acl="r", data={})
DEPOT = manifest("Depot", "orders", "depot", type="S3", external=True, secrets=[{"name": "orders-r"}])
WORKFLOW = manifest(
    "Workflow", "daily", "workflow", dag=[{"name": "load", "spec": {"stack": "flare:7.0", "input": "dataos://orders"}}]
)


def deletes(emulated: Emulated) -> list[tuple[str, int]]:
    sent = [each for each in emulated.wire.sent if each.method == "DELETE"]
    return [(each.path.rpartition("/")[2], each.status) for each in sent]


@pytest.mark.row("G16")
def test_a_delete_that_is_refused_is_tried_again_after_each_other_delete(at: tuple[Emulated, VirtualLoop]) -> None:
    emulated, loop = at

    async def story() -> None:
        emulated.commit(SECRET, DEPOT, WORKFLOW)
        report = await emulated.one_pass()
        assert [each.result for each in report.outcomes] == [Result.DONE] * 3
        await emulated.clock.sleep(BETWEEN_PASSES)
        emulated.commit()
        report = await emulated.one_pass(Wish(confirm_deletes=3))
        assert [(each.change.action, each.result) for each in report.outcomes] == [(Action.DELETE, Result.DONE)] * 3
        # The depot was refused while the workflow was there, and its secret had to wait for it.
        assert deletes(emulated)[-1] == ("orders-r", 204)
        assert ("orders", 400) in deletes(emulated) and ("orders", 204) in deletes(emulated)
        await emulated.rest()

    run(story(), loop)


def test_a_delete_that_stays_refused_is_no_end_of_the_others_and_comes_again(at: tuple[Emulated, VirtualLoop]) -> None:
    emulated, loop = at

    async def story() -> None:
        emulated.commit(DEPOT | {"spec": {"version": "v1", "depot": {"type": "S3", "external": True}}})
        await emulated.one_pass()
        emulated.world.person_create(
            {
                "name": "of-a-person",
                "version": "v1",
                "type": "workflow",
                "workspace": "public",
                "workflow": WORKFLOW["spec"]["workflow"],
            }
        )
        await emulated.clock.sleep(BETWEEN_PASSES)
        emulated.commit()
        for _ in range(2):
            report = await emulated.one_pass(Wish(confirm_deletes=1))
            (outcome,) = report.outcomes
            assert outcome.result is Result.NOT_DONE and not outcome.terminal
            assert outcome.message == "another object needs it"
            await emulated.clock.sleep(BETWEEN_PASSES)
        emulated.world.person_delete("workflow", "of-a-person", workspace="public")
        report = await emulated.one_pass(Wish(confirm_deletes=1))
        assert [each.result for each in report.outcomes] == [Result.DONE]

    run(story(), loop)
