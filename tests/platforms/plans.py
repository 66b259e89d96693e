"""Plans of all sorts on every platform, and what applying each has sent: ``python -m tests.platforms.plans``.

A seed draws what git names, what people do meanwhile, and how long a plan waits before it is applied. What the
emulator's own log then holds must never be more than the plan said, neither in all nor of any sort.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from agent.live.purpose import Purpose
from agent.model.outcome import Result
from agent.reconcile.looking import look
from agent.reconcile.once import reconcile_once
from agent.reconcile.target import Target
from agent.reconcile.wish import Wish
from agent.sandbox import Refusal, create_app
from agent.sandbox.requests_log import Entry
from agent.store.store import Store
from tests.platforms.conformance.emulated import TOKEN, assembled
from tests.platforms.conformance.examples import (
    Document,
    Example,
    document_of,
    examples_of_kinds,
    files_of,
    is_valid,
    secret_names,
)
from tests.platforms.conformance.wire import Wire
from tests.simulation.places import make_template, memory_folder
from tests.simulation.source import MemorySource
from tests.simulation.virtual_time import VirtualClock, VirtualLoop, run

APPLYING = (Purpose.WRITE, Purpose.LOOK, Purpose.CONFIRM, Purpose.READY)
_SAFE = ("GET", "HEAD")


@dataclass
class Told:
    """What plans of one seed said and sent, summed by purpose, and where they sent more."""

    definition: str
    seed: int
    plans: int = 0
    changes: Counter[str] = field(default_factory=Counter)
    said: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    beyond: list[str] = field(default_factory=list)


class Repository:
    """What git names: copies of the definition's examples, that come, change and go."""

    def __init__(self, examples: Sequence[Example], chance: random.Random) -> None:
        self._examples = examples
        self._chance = chance
        self._named: dict[str, tuple[Example, Document]] = {}
        self._turn = 0

    def move(self) -> dict[str, bytes]:
        """The next commit: some come, some change, some go."""
        self._turn += 1
        chance = self._chance
        for path in [path for path in self._named if chance.random() < 0.2]:
            del self._named[path]
        for path, (example, document) in list(self._named.items()):
            if example.change and chance.random() < 0.4:
                changed = {**document, "spec": {**document["spec"], **self._changed(example)}}
                if is_valid(example, changed):
                    self._named[path] = example, changed
        for _ in range(chance.choice((1, 2, 4, 8))):
            example = chance.choice(self._examples)
            self._named[f"{example.name}-{len(self._named)}-{self._turn}.json"] = example, self._copy(example)
        names = {}
        for path, (_, document) in self._named.items():
            names[document["kind"], document["metadata"]["name"]] = path  # the last of a name is the one that counts
        self._named = {path: self._named[path] for path in names.values()}
        files = {path: json.dumps(document).encode() for path, (_, document) in self._named.items()}
        for example, document in self._named.values():
            files |= files_of(example, document)
        return files

    def secrets(self) -> set[str]:
        return set().union(*(secret_names(document_of(example)) for example in self._examples))

    def _copy(self, example: Example) -> Document:
        """Under one of a few names; sometimes with an action of its kind."""
        document = document_of(example)
        name = document["metadata"]["name"]
        made = {**document, "metadata": {**document["metadata"], "name": name + self._chance.choice(("", "a", "b"))}}
        made = made if is_valid(example, made) else document
        actions = [name for name, rule in example.kind.actions.items() if not rule.careful and not rule.args]
        if actions and self._chance.random() < 0.7:
            asking = {**made, "lifecycle": {**made["lifecycle"], "actions": {self._chance.choice(actions): {}}}}
            return asking if is_valid(example, asking) else made
        return made

    def _changed(self, example: Example) -> dict[str, Any]:
        return {
            name: f"{value} {self._turn}" if isinstance(value, str) else value for name, value in example.change.items()
        }


def without_id(request: httpx.Request, response: httpx.Response) -> httpx.Response:
    """A create that is answered without a word of the id."""
    if request.method != "POST" or response.status_code not in (200, 201):
        return response
    try:
        body = json.loads(response.read())
    except ValueError:
        return response
    if not isinstance(body, dict) or "access_token" in json.dumps(body):
        return response
    held = body.get("data") if isinstance(body.get("data"), dict) else body
    held.pop("id", None)
    headers = [(name, value) for name, value in response.headers.items() if name.lower() != "content-length"]
    return httpx.Response(response.status_code, headers=headers, content=json.dumps(body).encode())


class Play:
    """One seed on one definition."""

    def __init__(self, definition: str, seed: int, folder: Path, template: Path, loop: VirtualLoop) -> None:
        self.told = Told(definition, seed)
        self.chance = chance = random.Random(f"plans/{definition}/{seed}")
        examples = [example for example in examples_of_kinds() if example.definition == definition]
        known = examples[0].known
        self.clock = VirtualClock(loop)
        app = create_app(
            token=TOKEN,
            platform=known["emulator"],
            clock=self.clock,
            limits=False,
            ready_after=chance.choice((0.0, 2.0, 40.0)),
            switches={"limit_max": chance.choice((2, 3, 1000))},  # lists of several pages, too
        )
        self.world = app.state.sandbox
        for document in known.get("there", ()):
            self.world.person_create(document)
        self.wire = Wire(app, self.world)
        self.wire.after = lambda request, answer: without_id(request, answer) if chance.random() < 0.3 else answer
        self.source = MemorySource()
        path = folder / "state.db"
        shutil.copyfile(template, path)
        self.store = Store.open(f"sqlite:///{path}", clock=self.clock, random_bytes=random.Random(0).randbytes)
        self.repository = Repository(examples, chance)
        self.target: Target = assembled(
            examples[0].platform,
            self.wire,
            self.clock,
            self.store,
            self.source,
            settings=known.get("settings", {}),
            credentials={
                name: TOKEN if value == "TOKEN" else value for name, value in known.get("credentials", {}).items()
            },
            secrets=self.repository.secrets(),
            chance=random.Random(seed),
            defaults=known.get("defaults", {}),
        )

    async def rounds(self, number: int) -> None:
        for _ in range(number):
            self.source.commit(self.repository.move())
            self._people()
            await self.apply()
            await self.clock.sleep(self.chance.choice((1.0, 30.0, 300.0)))

    def _people(self) -> None:
        """Somebody takes away what we have made, past the API."""
        made = {(commit.type, commit.workspace, commit.name): commit for commit in self.world.commits}
        for (kind, workspace, name), commit in made.items():
            if commit.after is not None and not commit.person and self.chance.random() < 0.1:
                with suppress(Refusal):  # something else needs it, or a run is over
                    self.world.person_delete(kind, name, workspace=workspace)

    async def apply(self) -> None:
        """Plan, wait perhaps, apply, and compare what was said with what was sent."""
        wish = Wish(fresh=self.chance.random() < 0.3, wait_for_all=self.chance.random() < 0.5)
        seen = await look(self.target, wish)
        if self.chance.random() < 0.5:
            await self.clock.sleep(11.0)  # what was seen is old by now: each object is looked at before its write
        mark, before = len(self.world.requests), Counter(self.target.api.calls)
        report = await reconcile_once(self.target, wish, seen)
        sent = self.target.api.calls - before
        told, calls = self.told, seen.plan.calls
        told.plans += 1
        told.changes.update(each.change.action.value for each in report.outcomes if each.result is Result.DONE)
        told.sent.update(sent)
        told.said.update({purpose.value: getattr(calls, purpose.value) for purpose in APPLYING})
        place = f"{told.definition}, seed {told.seed}, plan {told.plans}"
        told.beyond += [f"{place}: {each}" for each in self._beyond(calls, sent, self.world.requests[mark:])]

    def _beyond(self, calls: Any, sent: Mapping[str, int], log: Sequence[Entry]) -> list[str]:
        """By our own count of purposes, and by the emulator's log, which knows methods only."""
        found = [
            f"{sent.get(purpose, 0)} for {purpose}, the plan said {getattr(calls, purpose.value)}"
            for purpose in APPLYING
            if sent.get(purpose, 0) > getattr(calls, purpose.value)
        ]
        writes = sum(1 for entry in log if entry.method not in _SAFE)
        reads = len(log) - writes
        beside = sum(number for purpose, number in sent.items() if purpose not in APPLYING)
        if len(log) != sum(sent.values()):
            found.append(f"the log has {len(log)} requests, we counted {sum(sent.values())}")
        if beside or writes > calls.write or reads > calls.look + calls.confirm + calls.ready:
            found.append(f"the log has {writes} writes and {reads} reads; {dict(sent)}; the plan said {calls}")
        return found


def play(definition: str, seed: int, rounds: int, folder: Path, template: Path) -> Told:
    loop = VirtualLoop()
    with tempfile.TemporaryDirectory(dir=folder) as own:
        one = Play(definition, seed, Path(own), template, loop)
        run(one.rounds(rounds), loop)
        one.store.close()
        one.world.close()
    return one.told


def definitions() -> list[str]:
    return sorted({example.definition for example in examples_of_kinds()})


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.platforms.plans", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=6)
    words = parser.parse_args()
    began, found = time.monotonic(), 0
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        template = make_template(Path(folder))
        for definition in definitions():
            seeds = range(words.first, words.first + words.seeds)
            all_told = [play(definition, seed, words.rounds, Path(folder), template) for seed in seeds]
            total = Told(definition, words.seeds)
            for told in all_told:
                total = replace(
                    total,
                    plans=total.plans + told.plans,
                    changes=total.changes + told.changes,
                    said=total.said + told.said,
                    sent=total.sent + told.sent,
                    beyond=total.beyond + told.beyond,
                )
            changes = ", ".join(f"{number} {action}" for action, number in sorted(total.changes.items()))
            sums = ", ".join(f"{total.sent[each]} of {total.said[each]} {each}" for each in APPLYING)
            print(f"{definition:<20} {total.plans} plans; {changes}; sent of said: {sums}")
            print("".join(f"  BEYOND {each}\n" for each in total.beyond), end="")
            found += len(total.beyond)
    print(f"{found} plans sent more than they said, {time.monotonic() - began:.0f} s")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
