"""Replacements that end in the middle: what is there is not forgotten, and nothing goes for what cannot be made."""

from __future__ import annotations

from typing import Any

from agent.model.change import Action
from agent.model.outcome import Result
from agent.reconcile.wish import Wish
from tests.platforms.conformance.emulated import told
from tests.platforms.made_up.scene import LINK, Scene, Story, manifest


def barrel(**spec: Any) -> dict[str, Any]:
    return manifest("Barrel", "rain", spec)


def barrels(scene: Scene) -> list[Any]:
    return [each["size"] for each in scene.garden.yard.barrels.values()]


async def stops_before_it_retires(scene: Scene) -> None:
    """The new barrel is made, and the call that takes away the old one does not come through."""
    scene.commit(barrel(size=1, colour="red"))
    await scene.does(Action.CREATE)
    (old,) = scene.garden.yard.barrels
    scene.commit(barrel(size=2, colour="red"))
    scene.garden.refuses = f"/barrels/{old}"
    await scene.look()
    scene.garden.refuses = ""
    assert barrels(scene) == [1, 2]
    await scene.clock.sleep(60)


def test_what_was_to_be_replaced_goes_in_the_next_pass(play: Story) -> None:
    async def story(scene: Scene) -> None:
        await stops_before_it_retires(scene)
        await scene.does(Action.REPLACE)
        assert barrels(scene) == [2]

    play(story)


def test_it_goes_too_when_the_manifest_leaves_git_before_that(play: Story) -> None:
    async def story(scene: Scene) -> None:
        await stops_before_it_retires(scene)
        scene.commit()
        await scene.does(Action.DELETE, wish=Wish(fresh=True, confirm_deletes=1))
        assert barrels(scene) == []

    play(story)


def test_it_goes_too_when_a_person_has_deleted_the_new_one_and_the_manifest_left_git(play: Story) -> None:
    async def story(scene: Scene) -> None:
        await stops_before_it_retires(scene)
        del scene.garden.yard.barrels[[*scene.garden.yard.barrels][1]]
        scene.commit()
        await scene.does(Action.DELETE, wish=Wish(fresh=True, confirm_deletes=1))
        assert barrels(scene) == []

    play(story)


def test_one_is_made_again_when_a_person_has_deleted_the_new_one(play: Story) -> None:
    async def story(scene: Scene) -> None:
        await stops_before_it_retires(scene)
        del scene.garden.yard.barrels[[*scene.garden.yard.barrels][1]]
        await scene.look()
        await scene.clock.sleep(60)
        await scene.does(Action.CREATE)
        assert barrels(scene) == [2]

    play(story)


def test_what_git_says_meanwhile_is_applied_once_the_old_one_is_gone(play: Story) -> None:
    async def story(scene: Scene) -> None:
        await stops_before_it_retires(scene)
        scene.commit(barrel(size=2, colour="blue"))
        await scene.look()
        await scene.clock.sleep(60)
        await scene.look(Wish())
        assert [each["colour"] for each in scene.garden.yard.barrels.values()] == ["blue"]
        await scene.clock.sleep(60)
        assert told(await scene.look()) == ""

    play(story)


def test_nothing_is_taken_away_for_what_cannot_be_made(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.commit(manifest("Gate", "east", {"width": 1}), manifest("Step", "first", {"to": "east", "height": 1}))
        await scene.does(Action.CREATE, Action.CREATE)
        scene.commit(manifest("Gate", "east", {"width": 1}), manifest("Step", "first", {"to": "nowhere", "height": 2}))
        report = await scene.look()
        assert [each.result for each in report.outcomes] == [Result.NOT_DONE]
        assert "Gate/nowhere" in report.outcomes[0].message
        assert [*scene.garden.yard.shelves["steps"]] == ["first"]

    play(story)


def test_who_waits_for_an_object_looks_at_it_and_not_at_another_of_its_name(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.garden.yard.barrels["theirs"] = {"uuid": "theirs", "label": "rain", "size": 9, "full": True}
        last = manifest("Gate", "east", {"width": 1})
        last["lifecycle"]["dependsOn"] = ["Barrel/rain"]
        scene.commit(barrel(size=1), last)
        scene.adopt(LINK, ready_timeout_seconds=5.0)
        report = await scene.look()
        assert {each.change.key.kind: each.result for each in report.outcomes} == {
            "Barrel": Result.DONE,
            "Gate": Result.SKIPPED,
        }

    play(story)
