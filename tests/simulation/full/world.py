"""The world of one story: platform, git, people, clocks, and the agents that live and die in it."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Coroutine, Mapping
from typing import Any

import httpx

from agent.errors import SourceError
from agent.model.identity import Revision
from agent.sandbox import Commit, ConnectionLost, create_app
from agent.sandbox.rate_limit import RateLimiter
from tests.platforms.conformance.examples import surroundings
from tests.simulation.full.people import People
from tests.simulation.full.referee import Place, label_of, place_of, renamed_from
from tests.simulation.full.samples import SUFFIXES, Sample, samples_of
from tests.simulation.full.tale import Story
from tests.simulation.full.wire import READS, bomb
from tests.simulation.in_process import InProcess
from tests.simulation.source import MemorySource
from tests.simulation.virtual_time import VirtualClock, VirtualLoop

TOKEN = "canary-token-3f9a1c77"
CANARY = "canary-password-81d2e0aa"
_BOMB = bomb()
_NO_OBJECTS = ("/login", "/upload-file", "/jobs/files")
"""Where a POST logs in, or brings a file that a manifest names: a lost one is simply sent again (K17)."""


class FailingSource(MemorySource):
    """Git that is away for a while (G2), shows an older head (G13), or a history that was rewritten (G1)."""

    how = ""
    fetches = 0
    played = ""

    def fetch(self) -> Revision:
        self.played = ""
        if self.fetches > 0:
            self.fetches -= 1
            self.played = self.how
            if self.how == "down":
                raise SourceError("the repository cannot be reached")
            if self.how == "older" and len(self.revisions) > 1:
                return self.revisions[-2][0]
        return super().fetch()

    def is_ancestor(self, older: str, newer: str) -> bool | None:
        return False if self.how == "rewritten" and self.fetches > 0 else super().is_ancestor(older, newer)


class World:
    """``reached`` counts rows of the fault model; ``alive`` holds the newest commit of each object that is there."""

    bomb = _BOMB

    def __init__(self, story: Story, loop: VirtualLoop) -> None:
        self.story = story
        cell = story.cell
        self.loop = loop
        self.clock = VirtualClock(loop)
        """The agents' clock, which may be wrong; the platform has its own."""
        self.true = VirtualClock(loop)
        self.chance = random.Random(f"world/{story.seed}")
        known = surroundings()[cell.definition]
        self.settings: Mapping[str, str] = known.get("settings", {})
        self.secret = TOKEN
        self.credentials = dict.fromkeys(known["credentials"], TOKEN)
        if cell.login:
            self.credentials = {"email": "user@example.com", "password": TOKEN}
        switches = {"lag": cell.lag, "ready_after": cell.ready_after, "fail_share": cell.fail_share}
        switches |= {"delete_delay": cell.delete_delay, "sort_tags": cell.moody, "server_tags": cell.moody}
        self.app = create_app(
            token=TOKEN,
            platform=known["emulator"],
            clock=self.true,
            seed=story.seed,
            switches=switches,
        )
        self.sandbox = self.app.state.sandbox
        if cell.windows and cell.definition == "dataos/v1":
            self.sandbox.limiter = RateLimiter(cell.windows)
        for document in known.get("there", ()):
            self.sandbox.person_create(document)
        self.source = FailingSource()
        self.labels = {s.name(x): s for s in samples_of(cell.definition) for x in SUFFIXES}
        self.alive: dict[Place, Commit] = {}
        self.identical: set[Place] = set()
        self.raced: set[Place] = set()
        """Made by hand while a delete of that name was under way: no look could have shown it."""
        self.losses: list[float] = []
        """When a store was lost, and with it the count of the calls that were sent until then."""
        self.reached: Counter[str] = Counter()
        self.log: list[str] = []
        self.races: list[dict[str, Any]] = []
        self.lies: list[dict[str, Any]] = []
        self.late: set[asyncio.Future[Any]] = set()
        self.people = People(self)
        self.others_spend = False
        self._asked: httpx.Request | None = None
        self._door = InProcess(self.app)
        self.sandbox.on_commit(self._keep)

    # What the others ask

    def sample_of(self, label: str) -> Sample | None:
        return self.labels.get(label)

    def wanted(self) -> set[str]:
        """Names in the newest commit of git, of invalid manifests too: those hold their live objects."""
        return set(named_in(self.source, self.source.revisions[-1][1]))

    def say(self, what: str) -> None:
        self.log.append(f"{self.loop.time():10.2f} {what}")

    def page_size(self, request: httpx.Request) -> tuple[str, str] | None:
        """The parameter by which a list is cut into pages, and the size that this platform gives at most."""
        page = self.story.cell.page
        if not page or request.method != "GET":
            return None
        for word in ("limit", "per_page", "page_size"):
            if word in request.url.params:
                return word, str(min(page, int(request.url.params[word])))
        return None

    def sees(self, request: httpx.Request) -> None:
        self._asked = request

    def is_action(self, request: httpx.Request) -> bool:
        return any(s.action and request.url.path.endswith(f"/{s.action}") for s in self.labels.values())

    def is_create(self, request: httpx.Request) -> bool:
        """Whether this makes an object that a manifest speaks of, as far as its address and its body tell."""
        if self.is_action(request) or request.url.path.endswith(_NO_OBJECTS):
            return False
        return request.method == "POST" or self.people.place_of(request) is None

    def is_midway(self, points: list[str]) -> bool:
        """K17: of a change that takes several calls, some were sent in the pass under way."""
        outcomes = points.count("committed outcome")
        several = any(s.is_thin or s.uploads() for s in self.labels.values())
        return several and outcomes > 0

    # What lies in the way

    async def before(self, request: httpx.Request) -> None:
        """People who are quicker than this request."""
        for race in self.races:
            if race["before"] not in _kinds_of(request):
                continue
            if race["skip"] > 0:
                race["skip"] -= 1
                continue
            if await self._won(race, request):
                self.races.remove(race)
            return

    async def _won(self, race: Mapping[str, Any], request: httpx.Request) -> bool:
        before, does, people = race["before"], race["does"], self.people
        if does.startswith("make") and before == "create":
            won = await people.make(request, same=does == "make the same")
        else:
            place = people.place_of(request)
            if place is None:
                return False
            if does == "edit":
                won = people.edit(place)
            elif does == "delete":
                won = people.delete(place)
            else:
                won = await people.make_again(place)
                self.raced.add(place)
        if won:
            self.reached[_RACES[before, does]] += 1
            self.say(f"a person does {does} before {request.method} {request.url.path}")
        return won

    def lie_about(self, request: httpx.Request) -> Mapping[str, Any] | None:
        for lie in self.lies:
            if request.method not in lie.get("method", (request.method,)) or lie["times"] <= 0:
                continue
            if lie["lie"] == "action lost" and not self.is_action(request):
                continue
            if lie["lie"] == "late" and not self.is_create(request):
                continue
            if self.chance.random() < lie["probability"]:
                lie["times"] -= 1
                return lie
        return None

    def revert_half(self, request: httpx.Request) -> bool:
        """K9: of what a request has just changed, one leaf is as it was."""
        place = self.people.place_of(request)
        if place is None or place[0] in ("job",):
            return False
        return self.people.edit(place)

    def arrives_late(self, request: Coroutine[Any, Any, httpx.Response], seconds: float, within: float) -> None:
        """What was sent is still under way: its sender is dead, or has lost the connection.

        It lands ``within`` so many seconds or never: a platform that takes longer gives up, as one with a sender does.
        """

        async def arrives() -> None:
            try:
                async with asyncio.timeout(within):
                    await asyncio.sleep(seconds)
                    await request
            except (ConnectionLost, TimeoutError):
                pass
            finally:
                request.close()

        self.say(f"a request that nobody waits for arrives in {seconds:.1f} s")
        self.late.add(asyncio.ensure_future(arrives()))

    async def person_sends(self, request: httpx.Request) -> None:
        self.others_spend = True
        await self._door.handle_async_request(request)

    def _keep(self, commit: Commit) -> None:
        place = place_of(commit)
        if commit.agent.startswith("agent/"):
            self._mark(commit)
        if renamed_from(commit) is not None:
            self.alive.pop(renamed_from(commit), None)
        if commit.after is None:
            self.alive.pop(place, None)
        else:
            self.alive[place] = commit
            if commit.before is None and not commit.person and self._asked is not None:
                self.people.remember(label_of(commit), self._asked)

    def _mark(self, commit: Commit) -> None:
        """Rows that are the platform's ways and no fault: reached with a write that meets them."""
        cell = self.story.cell
        if cell.definition.startswith("dataos"):
            self.reached["A22"] += cell.moody
            self.reached["A29"] += commit.before is None and cell.ready_after + cell.fail_share > 0
            self.reached["A37"] += commit.after is None and cell.delete_delay > 0


_RACES = {
    ("create", "make"): "A4",
    ("create", "make the same"): "A3",
    ("change", "edit"): "A9",
    ("change", "delete"): "A5",
    ("DELETE", "delete"): "A6",
    ("DELETE", "make again"): "K10",
    ("DELETE", "edit"): "H4",
    ("GET", "edit"): "H4",
    ("GET", "delete"): "H5",
}


def _kinds_of(request: httpx.Request) -> tuple[str, ...]:
    if request.method in READS or request.method == "DELETE":
        return (request.method,)
    return ("create",) if request.method == "POST" else ("change",)


def named_in(source: MemorySource, tree: Mapping[str, str]) -> dict[str, str]:
    """Label -> the manifest's text, for everything in a revision that looks like a manifest."""
    found = {}
    for path, blob in tree.items():
        if path.endswith(".json"):
            document = json.loads(source.blobs[blob])
            found[document["metadata"]["name"]] = source.blobs[blob].decode()
    return found
