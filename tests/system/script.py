"""A sequence of commits drawn from a seed, as changes of files: the same for every run that plays it."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any

Files = dict[str, str | None]
KINDS = ("workflow", "workflow", "service", "volume", "policy", "secret")
FEWEST, MOST = 8, 24


@dataclass
class Script:
    """``commits`` are file changes; ``made`` and ``removed`` count how often git let a name come and go."""

    commits: list[Files] = field(default_factory=list)
    made: dict[str, int] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)


def draw_script(seed: int, commits: int) -> Script:
    """Creates, updates, removals, renames of resources and of files, and names that come back."""
    chance = random.Random(f"script/{seed}")
    writer = _Writer(chance)
    for _ in range(FEWEST + 4):
        writer.create()
    writer.cut()
    for _ in range(commits - 1):
        for _ in range(chance.choice((1, 1, 2, 4))):
            writer.turn()
        writer.cut()
    return writer.script


class _Writer:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.script = Script()
        self.paths: dict[str, str] = {}  # name -> path
        self.kinds: dict[str, str] = {}
        self.written: dict[str, str] = {}
        self.past: list[tuple[str, str]] = []  # names that were removed, and their kinds
        self.pending: Files = {}
        self.number = 0

    def cut(self) -> None:
        if not self.pending:
            self.create()
        self.script.commits.append(self.pending)
        self.script.names = set(self.paths)
        self.pending = {}

    def turn(self) -> None:
        what = self.chance.choice(("create", "update", "update", "update", "remove", "rename", "move", "return"))
        if len(self.paths) <= FEWEST or (what == "return" and not self.past):
            what = "create"
        elif len(self.paths) >= MOST and what in ("create", "return"):
            what = "remove"
        touched = self.pending.keys()
        name = self.chance.choice(sorted(self.paths))
        if what not in ("create", "return") and self.paths[name] in touched:
            what = "create" if len(self.paths) < MOST else "nothing"
        self.script.counts[what] = self.script.counts.get(what, 0) + 1
        if what == "create":
            self.create()
        elif what == "return":
            self.create(*self.past.pop(self.chance.randrange(len(self.past))))
        elif what == "update":
            self.write(name)
        elif what == "remove":
            self.remove(name)
        elif what == "rename":  # the resource: another name with the like content
            kind = self.kinds[name]
            self.remove(name, comes_back=False)
            self.create(f"{name}-x", kind)
        elif what == "move":  # the file only: nothing to be done on the platform
            path, content = self.paths[name], self.written[name]
            self.pending[path] = None
            self.paths[name] = f"moved-{self.number}/{name}.json"
            self.pending[self.paths[name]] = content

    def create(self, name: str | None = None, kind: str | None = None) -> None:
        self.number += 1
        kind = kind or self.chance.choice(KINDS)
        name = name or f"{kind}-{self.number}"
        self.kinds[name] = kind
        self.paths[name] = f"{name}-{self.number}.json"
        self.script.made[name] = self.script.made.get(name, 0) + 1
        self.write(name)

    def remove(self, name: str, *, comes_back: bool = True) -> None:
        self.pending[self.paths.pop(name)] = None
        self.script.removed[name] = self.script.removed.get(name, 0) + 1
        if comes_back:
            self.past.append((name, self.kinds[name]))

    def write(self, name: str) -> None:
        self.number += 1
        self.written[name] = json.dumps(self.document(name, self.kinds[name]), indent=1)
        self.pending[self.paths[name]] = self.written[name]

    def document(self, name: str, kind: str) -> dict[str, Any]:
        turn = self.number
        document: dict[str, Any] = {"name": name, "version": "v1", "type": kind, "tags": ["ours", f"turn-{turn}"]}
        if kind != "policy":
            document["workspace"] = "public"
        document["description"] = f"turn {turn}"
        if kind == "workflow":
            volumes = sorted(each for each in self.paths if self.kinds[each] == "volume")
            # Ordered after the volume while git declares it; afterwards it is taken to be there. The leaf is in every
            # version: one that leaves git stays live as it was last written, which an agent that missed it never did.
            volume = self.chance.choice(volumes) if volumes and turn % 2 else "shared"
            spec = {"stack": f"flare:{turn % 9}.0", "persistentVolume": {"name": volume}}
            section: Any = {"schedule": {"cron": f"{turn % 60} 1 * * *"}, "dag": [{"name": "task", "spec": spec}]}
        elif kind == "service":
            section = {
                "replicas": 1 + turn % 5,
                "servicePort": 8080,
                "stack": "benthos:4.0",
                "stackSpec": {"turn": turn},
            }
        elif kind == "volume":
            section = {"size": f"{turn}Gi", "accessMode": "ReadWriteMany", "type": "temp"}
        elif kind == "policy":
            objects = {"paths": [f"dataos://lake:turn/{turn}"]}
            subjects = {"tags": [["roles:id:user"]]}
            access = {"subjects": subjects, "predicates": ["read"], "objects": objects, "allow": bool(turn % 2)}
            section = {"access": access}
        else:
            section = {"type": "key-value", "acl": "r", "data": {"password": {"secretRef": "lake"}, "user": f"u{turn}"}}
        return document | {kind: section}
