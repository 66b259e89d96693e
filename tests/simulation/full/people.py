"""What people do beside the agent: edits and deletes by hand, objects of their own, and being quicker than a request.

They act past the API (``World.person_edit``) or send what the agent once sent, without its mark.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx

from agent.sandbox import ConnectionLost, Refusal
from tests.simulation.full.referee import Place, label_of
from tests.simulation.full.samples import TOKEN

if TYPE_CHECKING:
    from tests.simulation.full.world import World

PERSON = "a person at the console"
_MARKS = re.compile(rb"datakeel\.[a-z]+/[a-z0-9]{12}")
_RUN_MARK = re.compile(rb" \[[a-z0-9]{12}-[a-z0-9]{8}\]")
_TOKEN = re.compile(TOKEN.pattern.encode())
BY_HAND = "by hand"


class People:
    """``made`` keeps, by label, the request that created it last: a person sends it again."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._made: dict[str, httpx.Request] = {}
        self._edits = 0

    def remember(self, label: str, request: httpx.Request) -> None:
        self._made[label] = request

    def edit(self, place: Place) -> bool:
        """The leaf that may change says something else."""
        world = self._world
        sample = world.sample_of(label_of(world.alive[place]))
        if sample is None or not sample.example.change:
            return False
        self._edits += 1
        try:
            change = sample.change(f"{BY_HAND} {self._edits}")
            world.sandbox.person_edit(place[0], place[2], change, workspace=place[1])
        except Refusal:
            return False  # the platform takes no such thing from anybody
        return True

    def delete(self, place: Place) -> bool:
        try:
            self._world.sandbox.person_delete(place[0], place[2], workspace=place[1])
        except Refusal:
            return False
        return True

    async def make(self, request: httpx.Request, *, same: bool) -> bool:
        """What this request would make, without our mark: the same, or with another content."""
        content = _RUN_MARK.sub(b"", _MARKS.sub(b"handmade", request.content))
        if not same:
            content = _TOKEN.sub(BY_HAND.encode(), content)
        headers = [
            (name, value)
            for name, value in request.headers.raw
            if name.lower() not in (b"user-agent", b"content-length")
        ]
        sent = httpx.Request(
            request.method, request.url, headers=[*headers, (b"user-agent", PERSON.encode())], content=content
        )
        seen = len(self._world.sandbox.commits)
        faults = self._world.sandbox.faults
        rules, faults.rules = faults.rules, []
        try:
            await self._world.person_sends(sent)
        except ConnectionLost:
            return False
        finally:
            faults.rules = rules
        made = [each for each in self._world.sandbox.commits[seen:] if each.before is None]
        if same:
            self._world.identical.update((each.type, each.workspace, each.name) for each in made)
        return bool(made)

    async def make_again(self, place: Place) -> bool:
        """The object is deleted and made by hand under the same name: it is another one."""
        request = self._made.get(label_of(self._world.alive[place]))
        return request is not None and self.delete(place) and await self.make(request, same=False)

    async def make_another(self, pick: int) -> bool:
        """Something that once was ours, and is gone, is made by hand."""
        there = {label_of(commit) for commit in self._world.alive.values()}
        gone = sorted(label for label in self._made if label not in there)
        return bool(gone) and await self.make(self._made[gone[pick % len(gone)]], same=False)

    def picked(self, pick: int) -> Place | None:
        """One of the objects that manifests speak of."""
        places = sorted(
            (place for place, commit in self._world.alive.items() if self._world.sample_of(label_of(commit))), key=str
        )
        return places[pick % len(places)] if places else None

    def place_of(self, request: httpx.Request) -> Place | None:
        """The live object that a request speaks of, by its address or its body."""
        path, body = request.url.path, request.content
        for place, commit in sorted(self._world.alive.items(), key=str):
            label = label_of(commit)
            if self._world.sample_of(label) is None:
                continue
            names: list[Any] = [place[2], label, (commit.after or {}).get("id")]
            if any(name is not None and path.endswith(f"/{name}") for name in names) or (
                body and f'"{label}"'.encode() in body
            ):
                return place
        return None
