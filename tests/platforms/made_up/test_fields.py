"""Words for fields that no real definition uses, through the whole walk, against the made-up ``garden``."""

from __future__ import annotations

from typing import Any

import pytest

from agent.model.change import Action
from tests.platforms.conformance.emulated import told
from tests.platforms.made_up.scene import (
    Scene,
    Story,
    manifest,
)

SENSOR = {
    "unit": "Celsius",
    "about": "by the  pond",
    "limit": 1.5,
    "every": "90s",
    "since": "2026-01-01T00:00:00Z",
    "model": "x9",
    "labels": [],
    "power": "on",
    "place": "pond",
    "gain": 3,
}


def test_what_comes_back_in_another_spelling_is_no_difference(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.commit(manifest("Sensor", "one", SENSOR))
        await scene.does(Action.CREATE)
        assert len(scene.writes()) == 1

    play(story)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("unit", "Kelvin"),
        ("about", "by thepond"),
        ("limit", 1.501),
        ("every", "91s"),
        ("since", "2026-01-01T00:00:01Z"),
        ("model", "x8"),
        ("labels", ["wet"]),
        ("power", "off"),
        ("power", True),
        ("place", "gate"),
    ],
)
def test_what_means_something_else_is_one_update(play: Story, member: str, value: Any) -> None:
    async def story(scene: Scene) -> None:
        scene.commit(manifest("Sensor", "one", SENSOR))
        await scene.does(Action.CREATE)
        scene.commit(manifest("Sensor", "one", {**SENSOR, member: value}))
        report = await scene.does(Action.UPDATE)
        assert {field.pointer.split("/")[1] for field in report.outcomes[0].change.fields} == {member}

    play(story)


def test_values_are_translated_and_members_moved_on_the_wire(play: Story) -> None:
    async def story(scene: Scene) -> None:
        for power, sent in (("on", 1), ("off", 0), (True, 7)):
            scene.commit(manifest("Sensor", "one", {"power": power, "place": "pond"}))
            await scene.look()
            assert scene.garden.sensors["one"]["power"] == sent
            assert scene.garden.sensors["one"]["location"] == {"text": "pond"}
            assert "place" not in scene.garden.sensors["one"]

    play(story)


def test_a_leaf_that_leaves_git_takes_its_default_and_never_before(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.commit(manifest("Sensor", "one", {"unit": "Celsius"}))
        await scene.does(Action.CREATE)
        assert "gain" not in scene.garden.sensors["one"]
        scene.commit(manifest("Sensor", "one", {"unit": "Celsius", "gain": 3}))
        await scene.does(Action.UPDATE)
        scene.commit(manifest("Sensor", "one", {"unit": "Celsius"}))
        await scene.does(Action.UPDATE)
        assert scene.garden.sensors["one"]["gain"] == 1

    play(story)


def test_a_leaf_travels_as_yaml_in_text(play: Story) -> None:
    async def story(scene: Scene) -> None:
        scene.commit(manifest("Sensor", "one", {"rules": {"wet": [1, 2]}}))
        await scene.does(Action.CREATE)
        assert isinstance(scene.garden.sensors["one"]["rules"], str)

    play(story)


def test_words_hold_in_the_elements_of_a_list_too(play: Story) -> None:
    async def story(scene: Scene) -> None:
        probes = [{"name": "a", "tags": ["wet", "old"], "depth": 3, "unit": ""}, {"name": "b"}]
        scene.commit(manifest("Sensor", "one", {"probes": probes}))
        await scene.does(Action.CREATE)
        live = scene.garden.sensors["one"]["probes"]
        live[0]["tags"].append("a person's")
        live[0]["unit"] = None
        live.reverse()
        assert told(await scene.look()) == ""
        scene.commit(manifest("Sensor", "one", {"probes": [{"name": "a", "tags": ["wet"]}, {"name": "b"}]}))
        await scene.does(Action.UPDATE)
        found = {probe["name"]: probe for probe in scene.garden.sensors["one"]["probes"]}
        assert sorted(found["a"]["tags"]) == ["a person's", "wet"]
        assert found["a"]["depth"] == 1

    play(story)
