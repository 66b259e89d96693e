"""Leaves that travel in another form, or by calls of their own: references to a member, files to upload, `via`.

The other side is the yard of the made-up garden. Definition, plan, requests and read back are the real ones.
"""

from __future__ import annotations

from typing import Any

import pytest

from agent.model.change import Action, Cause
from agent.model.outcome import Result
from agent.reconcile.looking import look
from agent.reconcile.wish import Wish
from tests.platforms.conformance.emulated import told
from tests.platforms.made_up.scene import LINK, Scene, Story, manifest


def gate(name: str, width: int = 1, **spec: Any) -> dict[str, Any]:
    return manifest("Gate", name, {"width": width, **spec})


def path(**spec: Any) -> dict[str, Any]:
    return manifest("Path", "main", spec)


def fence(name: str = "long", **spec: Any) -> dict[str, Any]:
    return manifest("Fence", name, spec)


def numbers(scene: Scene) -> dict[str, int]:
    return {name: each["number"] for name, each in scene.garden.yard.shelves["gates"].items()}


def main(scene: Scene) -> dict[str, Any]:
    return scene.garden.yard.shelves["paths"]["main"]


GATES = (gate("east"), gate("north"), gate("west"))

# References


def test_a_name_travels_as_the_member_that_it_stands_for_wherever_it_is_written(play: Story) -> None:
    async def story(scene: Scene) -> None:
        stops = [{"gate": "north", "minutes": 3}, {"gate": "east", "minutes": 5}]
        scene.commit(*GATES, path(to="west", along=["east", "north"], stops=stops))
        await scene.does(*[Action.CREATE] * 4)
        known = numbers(scene)
        assert main(scene)["to"] == known["west"]
        assert main(scene)["along"] == [known["east"], known["north"]]
        assert [each["gate"] for each in main(scene)["stops"]] == [known["north"], known["east"]]

    play(story)


def test_a_reference_that_leaves_a_set_is_taken_out_and_what_a_person_added_stays(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.commit(*GATES, path(along=["east", "north"]))
        await scene.does(*[Action.CREATE] * 4)
        known = numbers(scene)
        main(scene)["along"].append(known["west"])
        scene.commit(*GATES, path(along=["north"]))
        await scene.does(Action.UPDATE)
        assert sorted(main(scene)["along"]) == sorted([known["north"], known["west"]])

    play(story)


def test_a_keyed_element_whose_key_is_a_reference_leaves_alone(play: Story) -> None:
    async def story(scene: Scene) -> None:
        stops = [{"gate": "north", "minutes": 3}, {"gate": "east", "minutes": 5}]
        scene.commit(*GATES, path(stops=stops))
        await scene.does(*[Action.CREATE] * 4)
        main(scene)["stops"][1]["minutes"] = 9
        await scene.does(Action.UPDATE)
        assert [each["minutes"] for each in main(scene)["stops"]] == [3, 5]
        scene.commit(*GATES, path(stops=stops[:1]))
        await scene.does(Action.UPDATE)
        assert main(scene)["stops"] == [{"gate": numbers(scene)["north"], "minutes": 3}]

    play(story)


@pytest.mark.parametrize("drift", ["heal", "report"])
def test_who_refers_to_an_object_that_was_made_anew_gets_its_new_id_though_git_says_the_same(
    play: Story, drift: str
) -> None:
    async def story(scene: Scene) -> None:
        scene.adopt(LINK, drift=drift)
        scene.commit(gate("east"), path(to="east"))
        await scene.does(*[Action.CREATE] * 2)
        before = numbers(scene)["east"]
        scene.garden.yard.shelves["paths"]["main"]["to"] = before
        scene.commit(gate("east", width=2), path(to="east"))
        scene.garden.yard.lets_go = True
        await scene.look(Wish())
        await scene.clock.sleep(60)
        report = await scene.look(Wish())
        assert [(each.change.action, each.result) for each in report.outcomes] == [(Action.UPDATE, Result.DONE)]
        assert main(scene)["to"] == numbers(scene)["east"] != before
        (field,) = report.outcomes[0].change.fields
        assert field.cause is not Cause.DRIFT
        await scene.clock.sleep(60)
        assert told(await scene.look()) == ""

    play(story)


def test_drift_of_a_reference_is_healed(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.commit(*GATES, path(to="west", gravel="fine"))
        await scene.does(*[Action.CREATE] * 4)
        main(scene)["to"] = numbers(scene)["east"]
        report = await scene.does(Action.UPDATE)
        assert report.outcomes[0].change.fields[0].cause is Cause.DRIFT
        assert main(scene)["to"] == numbers(scene)["west"]

    play(story)


def test_drift_of_a_reference_that_is_only_reported_survives_an_update_of_another_leaf(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.adopt(LINK, drift="report")
        scene.commit(*GATES, path(to="west", gravel="fine", along=["east"]))
        await scene.does(*[Action.CREATE] * 4)
        theirs = main(scene)["to"] = numbers(scene)["east"]
        for gravel in ("fine", "coarse", "coarse"):
            scene.commit(*GATES, path(to="west", gravel=gravel, along=["east"]))
            await scene.look()
            await scene.clock.sleep(60)
        assert (main(scene)["to"], main(scene)["gravel"]) == (theirs, "coarse")
        assert len([write for write in scene.writes() if write.startswith("PUT")]) == 1

    play(story)


def test_an_object_with_references_is_adopted_where_it_is_identical_without_a_write(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.commit(*GATES)
        await scene.does(*[Action.CREATE] * 3)
        known = numbers(scene)
        scene.garden.yard.shelves["paths"]["main"] = {
            "name": "main",
            "number": 77,
            "open": False,
            "to": known["west"],
            "along": [known["east"]],
        }
        before = len(scene.writes())
        scene.commit(*GATES, path(to="west", along=["east"]))
        await scene.does(Action.ADOPT)
        assert len(scene.writes()) == before

    play(story)


def test_a_reference_to_what_is_not_there_writes_nothing_and_says_so(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.commit(gate("east"), path(to="nowhere"))
        report = await scene.look()
        (refused,) = [each for each in report.outcomes if each.result is not Result.DONE]
        assert "Gate/nowhere" in refused.message
        assert scene.writes() == ["POST /gates"]

    play(story)


def test_an_object_is_let_go_only_after_who_referred_to_it_no_longer_does(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.commit(*GATES, path(to="west"))
        await scene.does(*[Action.CREATE] * 4)
        scene.commit(*GATES[:2], path(to="east"))
        await scene.does(Action.UPDATE, Action.DELETE, wish=Wish(fresh=True, confirm_deletes=1))
        assert scene.writes()[-2:] == ["PUT /paths/main", "DELETE /gates/west"]

    play(story)


def test_a_delete_that_is_refused_for_what_a_person_did_goes_once_that_is_gone_within_what_the_plan_said(
    play: Story,
) -> None:
    async def story(scene: Scene) -> None:
        stays = manifest("Bed", "south")
        scene.commit(*GATES, path(to="west"), stays)
        await scene.does(*[Action.CREATE] * 5)
        main(scene)["along"] = [numbers(scene)["east"], numbers(scene)["north"]]
        scene.commit(stays)
        await scene.does(*[Action.DELETE] * 4, wish=Wish(fresh=True, confirm_deletes=4))
        assert scene.garden.yard.shelves["gates"] == {}

    play(story)


def test_deletes_that_are_refused_for_each_other_end_with_the_pass_and_are_told(play: Story) -> None:
    async def story(scene: Scene) -> None:
        stays = manifest("Bed", "south")
        scene.commit(*GATES, stays)
        await scene.does(*[Action.CREATE] * 4)
        known = numbers(scene)
        scene.garden.yard.shelves["paths"]["theirs"] = {"name": "theirs", "number": 9, "along": [*known.values()]}
        scene.commit(stays)
        for _ in range(2):
            before = len(scene.writes())
            report = await scene.look(Wish(fresh=True, confirm_deletes=3))
            assert [each.result for each in report.outcomes] == [Result.NOT_DONE] * 3
            assert {each.message for each in report.outcomes} == {"a path leads to it"}
            assert len(scene.writes()) == before + 3
            await scene.clock.sleep(60)
        assert numbers(scene) == known

    play(story)


# Files


def test_files_of_an_object_that_can_be_updated_are_uploaded_once_for_each_content(play: Story) -> None:
    async def story(scene: Scene) -> None:
        files = {"plans/a.txt": b"a", "plans/b c.txt": b"b"}
        scene.commit(fence(plan="plans/a.txt", sheets=["plans/b c.txt", "plans/a.txt"]), files=files)
        await scene.does(Action.CREATE)
        made = scene.garden.yard.shelves["fences"]["long"]
        drawings = scene.garden.yard.drawings
        assert drawings[made["plan"]] == b"a"
        assert [drawings[each] for each in made["sheets"]] == [b"b", b"a"]
        scene.commit(
            fence(plan="plans/a.txt", sheets=["plans/b c.txt", "plans/a.txt"]), files={**files, "plans/b c.txt": b"B"}
        )
        before = len(drawings)
        report = await scene.does(Action.UPDATE)
        assert [field.path for field in report.outcomes[0].change.fields] == ["sheets[0]"]
        made = scene.garden.yard.shelves["fences"]["long"]
        assert [drawings[each] for each in made["sheets"]] == [b"B", b"a"]
        assert len(drawings) == before + 1

    play(story)


def test_a_renamed_file_is_uploaded_under_its_new_name_and_then_rests(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.commit(fence(plan="a.txt"), files={"a.txt": b"a"})
        await scene.does(Action.CREATE)
        scene.commit(fence(plan="b.txt"), files={"b.txt": b"a"})
        await scene.does(Action.UPDATE)
        assert len(scene.garden.yard.drawings) == 2

    play(story)


def test_files_of_the_same_content_may_be_one_on_the_platform(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.garden.yard.one_of_a_kind = True
        files = {"a.txt": b"a", "b.txt": b"a"}
        scene.commit(fence(plan="a.txt", sheets=["a.txt", "b.txt"]), files=files)
        await scene.does(Action.CREATE)
        scene.commit(fence(plan="a.txt", sheets=["b.txt", "a.txt"]), files=files)
        await scene.look()
        await scene.clock.sleep(60)
        before = len(scene.writes())
        assert told(await scene.look()) == ""
        assert len(scene.writes()) == before

    play(story)


def test_a_file_that_two_manifests_name_travels_once(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.commit(fence(plan="a.txt"), fence("short", plan="a.txt"), files={"a.txt": b"a"})
        await scene.does(Action.CREATE, Action.CREATE)
        assert scene.writes().count("POST /drawings") == 1

    play(story)


def test_an_upload_that_fails_in_the_middle_goes_on_where_it_ended(play: Story) -> None:
    async def story(scene: Scene) -> None:
        files = {f"{name}.txt": name.encode() for name in "abc"}
        scene.commit(fence(sheets=[*files]), files=files)
        sent = 0

        def loses(asked: Any) -> bool:
            nonlocal sent
            sent += asked.endswith("/drawings")
            return sent == 2 and asked.endswith("/drawings")

        scene.garden.loses_if = loses
        report = await scene.look()
        assert [each.result for each in report.outcomes] == [Result.NOT_DONE]
        await scene.clock.sleep(60)
        await scene.does(Action.CREATE)
        assert scene.writes().count("POST /drawings") == 4
        assert len(scene.garden.yard.shelves["fences"]["long"]["sheets"]) == 3

    play(story)


def test_a_diff_uploads_nothing_and_drift_of_an_uploaded_leaf_is_healed_without_an_upload(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.commit(fence(plan="a.txt"), files={"a.txt": b"a"})
        await look(scene.another(LINK), Wish(fresh=True))
        assert scene.writes() == []
        await scene.does(Action.CREATE)
        ours = scene.garden.yard.shelves["fences"]["long"]["plan"]
        scene.garden.yard.shelves["fences"]["long"]["plan"] = "theirs"
        await scene.does(Action.UPDATE)
        assert scene.garden.yard.shelves["fences"]["long"]["plan"] == ours
        assert scene.writes().count("POST /drawings") == 1

    play(story)


def test_what_was_uploaded_is_remembered_when_only_some_resources_are_applied(play: Story) -> None:
    async def story(scene: Scene) -> None:
        both = (fence(plan="a.txt"), fence("short", plan="b.txt"))
        files = {"a.txt": b"a", "b.txt": b"b"}
        scene.commit(*both, files=files)
        await scene.does(Action.CREATE, Action.CREATE)
        await scene.look(Wish(selects=lambda key, place: key.name == "short"))
        scene.commit(fence(plan="a.txt", colour="red"), both[1], files=files)
        await scene.does(Action.UPDATE)
        assert scene.writes().count("POST /drawings") == 2

    play(story)


# Calls of their own


def test_a_leaf_with_calls_of_its_own_is_set_beside_a_body_that_holds_everything_else(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.commit(gate("east", colour="red", open=True))
        await scene.does(Action.CREATE)
        assert scene.writes() == ["POST /gates", "POST /gates/east/open"]
        scene.commit(gate("east", colour="blue", open=True))
        await scene.does(Action.UPDATE)
        scene.commit(gate("east", colour="green", open=False))
        await scene.does(Action.UPDATE)
        assert scene.writes()[2:] == ["PUT /gates/east", "PUT /gates/east", "POST /gates/east/shut"]
        there = scene.garden.yard.shelves["gates"]["east"]
        assert (there["colour"], there["open"]) == ("green", False)

    play(story)


@pytest.mark.parametrize("colour", ["red", "blue"], ids=["alone", "beside another change"])
def test_such_a_leaf_that_leaves_git_goes_back_to_its_default(play: Story, colour: str) -> None:
    async def story(scene: Scene) -> None:
        scene.commit(gate("east", colour="red", open=True))
        await scene.does(Action.CREATE)
        scene.commit(gate("east", colour=colour))
        await scene.does(Action.UPDATE)
        there = scene.garden.yard.shelves["gates"]["east"]
        assert (there["colour"], there["open"]) == (colour, False)

    play(story)


def test_drift_of_such_a_leaf_is_reported_and_not_written_beside_another_change(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.adopt(LINK, drift="report")
        scene.commit(gate("east", colour="red", open=True))
        await scene.does(Action.CREATE)
        scene.garden.yard.shelves["gates"]["east"]["open"] = False
        for colour in ("red", "blue", "blue"):
            scene.commit(gate("east", colour=colour, open=True))
            await scene.look()
            await scene.clock.sleep(60)
        there = scene.garden.yard.shelves["gates"]["east"]
        assert (there["colour"], there["open"]) == ("blue", False)
        assert scene.writes() == ["POST /gates", "POST /gates/east/open", "PUT /gates/east"]

    play(story)


# What the platform does not keep


def test_a_set_that_the_platform_does_not_change_is_not_written_for_ever(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.commit(*GATES, path(along=["east", "north"]))
        await scene.does(*[Action.CREATE] * 4)
        scene.garden.yard.stubborn = "along"
        scene.commit(*GATES, path(along=["west"]))
        for _ in range(5):
            await scene.look()
            await scene.clock.sleep(60)
        assert len([write for write in scene.writes() if write.startswith("PUT")]) == 2

    play(story)
