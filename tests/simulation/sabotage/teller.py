"""How a tale's stories are drawn: time goes on, files change, people click, and each word is a happening."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.simulation.story import Happening, World, workflow

NAMES = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta")


@dataclass(frozen=True)
class Tale:
    """Stories around one danger, and the cell in which they are played. ``kills``: the first process dies at one of so
    many effect points."""

    name: str
    draw: Callable[[int], list[Happening]]
    cell: type[World]
    kills: int = 0

    def kill_at(self, seed: int) -> int | None:
        return random.Random(f"kill/{seed}").randint(1, self.kills) if self.kills else None


class Teller:
    """One story under way. Each method returns the teller."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.at = 0.0
        self.files: dict[str, bytes] = {}
        self.story: list[Happening] = []

    def after(self, least: float, most: float | None = None) -> Teller:
        self.at += least if most is None else self.chance.uniform(least, most)
        return self

    def says(self, what: str, **details: Any) -> Teller:
        self.story.append(Happening(self.at, what, details))
        return self

    def commit(self, **changes: bytes | None) -> Teller:
        """Files by name, None for one that is removed."""
        for name, content in changes.items():
            if content is None:
                self.files.pop(f"{name}.json", None)
            else:
                self.files[f"{name}.json"] = content
        return self.says("commit", files=dict(self.files))

    def starts(self, names: Iterable[str], **words: Any) -> Teller:
        """The first commit: these, and one that stays."""
        made: dict[str, bytes | None] = {name: manifest(name, self.cron(), **words) for name in names}
        return self.commit(**made, keeper=manifest("keeper", "0 1 * * *"))

    def edit(self, *names: str, **words: Any) -> Teller:
        return self.commit(**{name: manifest(name, self.cron(), **words) for name in names})

    def remove(self, *names: str) -> Teller:
        return self.commit(**dict.fromkeys(names))

    def fault(self, rule: Mapping[str, Any], **words: Any) -> Teller:
        return self.says("fault", rule={**rule, **words})

    def cron(self) -> str:
        return f"{self.chance.randint(0, 59)} {self.chance.randint(0, 23)} * * *"

    def some(self, least: int, most: int) -> list[str]:
        return self.chance.sample(NAMES, self.chance.randint(least, most))

    def maybe(self, share: float = 0.5) -> bool:
        return self.chance.random() < share


def manifest(name: str, cron: str, *, workspace: str = "public", tags: Iterable[str] = (), **lifecycle: Any) -> bytes:
    """A workflow; one with a lifecycle is written in datakeel's own form."""
    document = json.loads(workflow(name, cron, tags))
    if not lifecycle:
        return json.dumps({**document, "workspace": workspace}).encode()
    spec = {word: document[word] for word in ("version", "tags", "workflow")}
    head = {"apiVersion": "dataos/v1", "kind": "Workflow", "metadata": {"name": name, "workspace": workspace}}
    return json.dumps({**head, "lifecycle": lifecycle, "spec": spec}).encode()


def invalid(name: str) -> bytes:
    return json.dumps({"name": name, "version": "v1", "type": "workflow", "workspace": "public"}).encode()


def tale(name: str, cell: type[World], *, kills: int = 0) -> Callable[[Callable[[Teller], object]], Tale]:
    """A tale from the function that tells one of its stories."""

    def made(draw: Callable[[Teller], object]) -> Tale:
        def story(seed: int) -> list[Happening]:
            teller = Teller(random.Random(f"{name}/{seed}"))
            draw(teller)
            return sorted(teller.story, key=lambda each: each.at)

        return Tale(name, story, cell, kills)

    return made
