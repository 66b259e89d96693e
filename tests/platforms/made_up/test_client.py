"""The Python client on the made-up garden: each word of the vocabulary that no real platform's kinds make it meet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import agent
from tests.platforms.made_up.garden import Garden

FOLDER = Path(__file__).parents[1] / "definitions" / "garden"
CONFIG = f"""\
apiVersion: datakeel/v1
source: {{path: .}}
schemas: [{FOLDER}]
targets:
  main:
    platform: garden
    server: http://127.0.0.1:1
    settings: {{region: north}}
    credentials: {{accessKey: {{env: GARDEN_KEY}}}}
    budget: "off"
"""


@pytest.fixture
def garden() -> Garden:
    return Garden(lambda: 0.0)


@pytest.fixture
async def client(garden: Garden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GARDEN_KEY", "a&k")
    (tmp_path / "datakeel.yaml").write_text(CONFIG)
    async with agent.connect_async(target="main", transport=httpx.ASGITransport(app=garden)) as opened:
        yield opened


def writes(garden: Garden) -> list[tuple[str, str]]:
    return [(each.method, each.path.rpartition("/api/")[2]) for each in garden.asked if each.method != "GET"]


async def test_a_create_that_takes_a_name_only_is_followed_by_the_rest(client: Any, garden: Garden) -> None:
    tool = await client.tools.create(name="spade", colour="red")
    assert garden.tools["spade"]["colour"] == "red"
    assert writes(garden) == [("POST", "tools"), ("PUT", "tools/spade")]
    assert (await tool.refresh()).colour == "red"


async def test_what_follows_a_create_and_is_lost_is_told_with_what_was_made(client: Any, garden: Garden) -> None:
    garden.loses = "/tools/spade"
    with pytest.raises(agent.ServerError) as caught:
        await client.tools.create(name="spade", colour="red")
    assert "Tool/spade was made; what follows its create was not written" in caught.value.__notes__[-1]
    garden.loses = ""
    assert (await client.tools.apply(name="spade", colour="red")).colour == "red"
    assert writes(garden) == [("POST", "tools"), ("PUT", "tools/spade")]


async def test_a_merge_patch_on_condition_carries_what_was_read(client: Any, garden: Garden) -> None:
    garden.conditional = True
    await client.beds.create(name="south")
    vine = await client.vines.create(name="merlot", bed="south", species="vitis", notes="young")
    assert (vine.uuid, vine.scope) == ("p1", {"bed": "south"})
    vine.notes = "old"
    await vine.save()
    assert garden.plants["p1"]["notes"] == "old" and garden.plants["p1"]["revision"] == 2
    patch = garden.asked[-1]
    assert (patch.method, patch.headers["if-match"]) == ("PATCH", '"r1"')
    await vine.refresh()
    del vine.notes
    await vine.save()
    assert "notes" not in garden.plants["p1"]
    other = await client.vines.get("merlot", bed="south")
    other.notes = "theirs"
    await other.save()
    vine.notes = "mine"
    with pytest.raises(agent.ConflictError, match="somebody else changed `notes`"):
        await vine.save()
    vine = await client.vines.get(id="p1", bed="south")
    vine.species = "vitis riparia"
    with pytest.raises(agent.NotSupportedError, match="`species` cannot be changed in place"):
        await vine.save()


async def test_two_creates_are_two_and_one_that_is_tried_again_is_one(client: Any, garden: Garden) -> None:
    await client.beds.create(name="south")
    for name in ("one", "two"):
        await client.plants.create(name=name, bed="south", species="rosa")
    keys = [each.headers["idempotency-key"] for each in garden.asked if "idempotency-key" in each.headers]
    assert len(set(keys)) == 2 and len(garden.plants) == 2
    garden.loses = "/plants"
    with pytest.raises(agent.OutcomeUnknown):
        await client.plants.create(name="three", bed="south", species="rosa")
    garden.loses = ""
    assert (await client.plants.get("three", bed="south")).species == "rosa"
    listed = await client.plants.list(bed="south")
    assert [each.key for each in listed] == [f"Plant/south/{name}" for name in ("one", "two", "three")]
    assert (await client.plants.list(bed="south", limit=1)).complete is False


async def test_what_comes_back_otherwise_is_no_change(client: Any, garden: Garden) -> None:
    sensor = {"unit": "Celsius", "power": "on", "place": "by the door", "labels": []}
    await client.sensors.create(name="s1", **sensor)
    with pytest.raises(agent.ResourceExistsError, match="is there already; nothing was sent"):
        await client.sensors.create(name="s1", **sensor)
    before = len(writes(garden))
    await client.sensors.apply(name="s1", **sensor)
    assert len(writes(garden)) == before
    seen = await client.sensors.get("s1")
    seen.location = {"text": "in the shade"}
    await seen.save()
    assert garden.sensors["s1"]["location"] == {"text": "in the shade"} and garden.sensors["s1"]["power"] == 1


async def test_leaves_with_calls_of_their_own_and_names_that_become_numbers(client: Any, garden: Garden) -> None:
    gate = await client.gates.create(name="north", width=2, open=True)
    assert garden.yard.shelves["gates"]["north"]["open"] is True
    await gate.refresh()
    gate.open = False
    await gate.save()
    assert writes(garden)[-1] == ("POST", "gates/north/shut")
    path = await client.paths.create(name="walk", to="north", along=["north"])
    assert path.to == garden.yard.shelves["gates"]["north"]["number"]
    before = len(writes(garden))
    await client.paths.apply(name="walk", to="north", along=["north"])
    assert len(writes(garden)) == before
    with pytest.raises(agent.ConflictError) as caught:
        await client.gates.delete("north")
    assert caught.value.landed == "no"
    with pytest.raises(agent.ResourceNotFoundError, match="its reference Gate/south is not there"):
        await client.paths.create(name="lost", to="south")


async def test_files_are_uploaded_beside_their_document(client: Any, garden: Garden, tmp_path: Path) -> None:
    folder = tmp_path / "fences"
    folder.mkdir()
    (folder / "plan.svg").write_bytes(b"<svg/>")
    (folder / "fence.yaml").write_text(
        "kind: Fence\napiVersion: garden/v1\nmetadata: {name: f}\nspec: {plan: plan.svg}\n"
    )
    fence = await client.resources.create(folder / "fence.yaml")
    assert garden.yard.drawings[fence.plan] == b"<svg/>"
    with pytest.raises(agent.UsageError, match=r"none\.svg, to be uploaded, cannot be read"):
        await client.fences.create(name="g", plan="none.svg")


async def test_of_several_with_one_label_the_id_tells(client: Any, garden: Garden) -> None:
    one = await client.barrels.create(name="rain", size=10)
    await client.barrels.create(name="rain", size=20)
    assert "note" not in garden.yard.barrels[one.uuid]  # no mark of the agent's
    for call in (client.barrels.get, client.barrels.delete):
        with pytest.raises(agent.UsageError, match="2 objects are named Barrel/rain: b1, b2") as caught:
            await call("rain")
        assert "id=" in caught.value.fix
    assert (await client.barrels.get(id="b2")).size == 20
    await client.barrels.delete(id="b1")
    assert list(garden.yard.barrels) == ["b2"]


async def test_text_is_an_object_of_one_member(client: Any, garden: Garden) -> None:
    note = await client.notes.create(name="todo", text="prune")
    await note.refresh()
    assert note.text == "prune"
    note.text = "water"
    await note.save()
    assert garden.files["notes", "todo"] == b"water"
    with pytest.raises(agent.NotSupportedError, match="Note has no list"):
        await client.notes.list()
