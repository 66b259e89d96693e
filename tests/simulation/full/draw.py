"""Draws a story from a seed, before it is played: where, what git and people do, what fails, who dies."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.simulation.full.faults import LIES, RULES, draw_fault
from tests.simulation.full.samples import PLATFORMS, SUFFIXES, Sample, as_bytes, samples_of
from tests.simulation.full.tale import Cell, Happening, Story

_ROWS = (*(("fault", row) for row in RULES), *(("lie", row) for row in LIES if row != "K18"))
_LOGIN = ("datalinx/v1",)
"""Definitions that can log a user in, and know a key as well."""
_PAGED = ("dataos/v1", "dataops-live/v4", "datalinx/v1")
"""Definitions whose lists come in pages, however few rows the platform gives in one."""


def draw_story(seed: int, definition: str | None = None) -> Story:
    """Some runs have one fault and some have many; all platforms have their turn."""
    chance = random.Random(f"full/{seed}")
    cell = draw_cell(chance, definition or tuple(PLATFORMS)[seed % len(PLATFORMS)])
    git = Git(chance, cell)
    story = [Happening(0.0, "commit", {"files": git.files()})]
    at = 0.0
    for _ in range(chance.choice((2, 4, 6, 8))):
        at += 0.01 + chance.choice((2.0, 20.0, 60.0, 120.0)) * chance.random()
        story += chance.choice(_TURNS)(git, at)
    git.mend()
    story.append(Happening(at + 40.0, "commit", {"files": git.files()}))
    numbers = range(chance.choice((0, 0, 1, 1, 2, 3)))
    deaths = tuple(chance.randint(1, 40 if number else 140) for number in numbers)
    return Story(seed, cell, tuple(story), deaths)


def draw_cell(chance: random.Random, definition: str) -> Cell:
    return Cell(
        definition,
        lag=chance.choice((0.0, 0.0, 0.0, 3.0)),
        ready_after=chance.choice((0.0, 2.0, 8.0)),
        delete_delay=chance.choice((0.0, 0.0, 20.0)),
        fail_share=chance.choice((0.0, 0.0, 0.0, 0.2)),
        page=chance.choice((0, 0, 1, 2)) if definition in _PAGED else 0,
        windows=chance.choice(((), (), (), ((40, 60.0), (400, 3600.0)), ((40, 60.0),))),
        moody=chance.random() < 0.25,
        latency=chance.choice((0.0, 0.2, 0.2, 2.0)),
        neighbour=chance.random() < 0.04,
        drift=chance.choice(("heal", "heal", "heal", "report")),
        adopt=chance.choice(("ifIdentical", "ifIdentical", "ifMarked", "never")),
        login=definition in _LOGIN and chance.random() < 0.5,
        loop=chance.random() < 0.3,
    )


_Turn = Callable[["Git", float], Happening]


class Git:
    """Whoever writes manifests: what the repository holds while a story is drawn."""

    def __init__(self, chance: random.Random, cell: Cell) -> None:
        self.chance = chance
        self.cell = cell
        self.samples = samples_of(cell.definition)
        self.acts = any(sample.action for sample in self.samples)
        self.held: dict[str, tuple[Sample, str, int, dict[str, Any]]] = {}
        self.spoiled: dict[str, bytes] = {}
        self.tokens = 0
        places = [(sample, suffix) for sample in self.samples for suffix in SUFFIXES]
        for place in chance.sample(places, k=min(len(places), chance.randint(2, 5))):
            self.write(*place)

    def write(self, sample: Sample, suffix: str, path: str = "", **lifecycle: Any) -> str:
        self.tokens += 1
        path = path or f"{sample.example.name}{suffix}-{self.tokens}.json"
        self.held[path] = (sample, suffix, self.tokens, lifecycle)
        return path

    def files(self) -> dict[str, str]:
        found = {path: as_bytes(s.document(x, token, life)).decode() for path, (s, x, token, life) in self.held.items()}
        for sample, *_ in self.held.values():
            found |= {path: content.decode() for path, content in sample.uploads().items()}
        return {**found, **{path: content.decode() for path, content in self.spoiled.items()}}

    def free(self) -> list[tuple[Sample, str]]:
        taken = {(sample, suffix) for sample, suffix, *_ in self.held.values()}
        return [(s, x) for s in self.samples for x in SUFFIXES if (s, x) not in taken]

    def some(self) -> str | None:
        return self.chance.choice(sorted(self.held)) if self.held else None

    def mend(self) -> None:
        """What git says in the end is in order, and nobody wants a delete that nothing allows."""
        self.spoiled.clear()
        for path, (sample, suffix, token, lifecycle) in [*self.held.items()]:
            kept = {word: value for word, value in lifecycle.items() if word not in ("dependsOn", "movedFrom")}
            self.held[path] = (sample, suffix, token, kept)
        if not self.held:
            self.write(self.samples[0], "")


def _commit(git: Git, at: float) -> Happening:
    return Happening(at, "commit", {"files": git.files()})


def _edit(git: Git, at: float) -> Happening:
    git.spoiled.clear()
    path = git.some()
    if path is not None:
        sample, suffix, _, lifecycle = git.held[path]
        git.write(sample, suffix, path, **lifecycle)
    return _commit(git, at)


def _add(git: Git, at: float) -> Happening:
    free = git.free()
    if free:
        git.write(*git.chance.choice(free))
    return _commit(git, at)


def _remove(git: Git, at: float) -> Happening:
    path = git.some()
    if path is not None:
        del git.held[path]
    return _commit(git, at)


def _empty(git: Git, at: float) -> Happening:
    """G3: everything is gone at once, for a while."""
    return Happening(at, "commit", {"files": {}})


def _move(git: Git, at: float) -> Happening:
    path = git.some()
    if path is not None:
        git.held[f"moved/{path.rpartition('/')[2]}"] = git.held.pop(path)
    return _commit(git, at)


def _rename(git: Git, at: float) -> Happening:
    path = git.some()
    free = [] if path is None else [x for s, x in git.free() if s == git.held[path][0]]
    if path is not None and free:
        sample, suffix, _, _ = git.held.pop(path)
        git.write(sample, git.chance.choice(free), **git.chance.choice(({"movedFrom": sample.name(suffix)}, {})))
    return _commit(git, at)


def _break(git: Git, at: float) -> Happening:
    """G11: one manifest is none; the others go on."""
    path = git.some()
    if path is not None:
        sample, suffix, token, _ = git.held[path]
        git.spoiled[path] = as_bytes({**sample.document(suffix, token), "spec": 7})
    return _commit(git, at)


def _double(git: Git, at: float) -> Happening:
    """G10: two manifests with one key."""
    path = git.some()
    if path is not None:
        sample, suffix, token, _ = git.held[path]
        git.spoiled["second.json"] = as_bytes(sample.document(suffix, token + 500))
    return _commit(git, at)


def _depend(git: Git, at: float) -> Happening:
    """One needs another; now and then two need one another, or one needs what there is not (G15)."""
    paths = sorted(git.held)
    if len(paths) > 1:
        one, other = git.chance.sample(paths, k=2)
        for mine, needed in ((one, other), (other, one))[: git.chance.choice((1, 1, 1, 2))]:
            sample, suffix, _, lifecycle = git.held[mine]
            needs = git.held[needed][0]
            name = needs.name(git.held[needed][1]) if git.chance.random() < 0.9 else "nobody"
            scope = [value for word, value in needs.lean["metadata"].items() if word != "name"]
            where = "/".join([needs.kind, *scope, name])
            git.write(sample, suffix, mine, **{**lifecycle, "dependsOn": [where]})
    return _commit(git, at)


def _lifecycle(git: Git, at: float) -> Happening:
    path = git.some()
    if path is not None:
        sample, suffix, _, lifecycle = git.held[path]
        words: list[Mapping[str, Any]] = [{"protect": True}, {"protect": False}, {"drift": "report"}]
        if sample.action:
            words += [{"actions": {sample.action: {}}}] * 4
        git.write(sample, suffix, path, **{**lifecycle, **git.chance.choice(words)})
    return _commit(git, at)


def _person(git: Git, at: float) -> Happening:
    what = git.chance.choice(("edit", "edit", "delete", "delete", "make", "make again"))
    return Happening(at, "person", {"does": what, "pick": git.chance.randint(0, 9)})


def _race(git: Git, at: float) -> list[Happening]:
    """A person is quicker than a request; git asks for one of that sort."""
    before, does = git.chance.choice(_RACES)
    race = Happening(at, "race", {"before": before, "does": does, "skip": git.chance.choice((0, 0, 0, 1, 3))})
    return [race, _asking(git, at + 0.1, _ASKS.get(before, ()))]


def _fault(git: Git, at: float) -> list[Happening]:
    """Something goes wrong, and mostly git asks for what it goes wrong with."""
    kind, row = git.chance.choice(_ROWS)
    if git.acts and git.chance.random() < 0.1:
        kind, row = "lie", "K18"
    rule = draw_fault(git.chance, row, kind, settle=min(each.settle for each in git.samples))
    asks = [each for method in rule.get("method", ()) for each in _ASKS.get(method, ())]
    asks = [_acting] if row == "K18" else asks
    asked = [_asking(git, at + 0.1, asks)] if git.chance.random() < 0.8 else []
    return [Happening(at, kind, {"rule": rule}), *asked]


def _doom(git: Git, at: float) -> list[Happening]:
    """The process dies at a moment of a write that git asks for."""
    if git.acts and git.chance.random() < 0.3:
        return [Happening(at, "doom", {"point": "flight POST", "after": ""}), _acting(git, at + 0.1)]
    method = git.chance.choice(("POST", "PUT", "DELETE", "DELETE"))
    point, after = git.chance.choice(
        (
            ("committed intent", ""),
            (f"flight {method}", ""),
            (f"answer {method}", ""),
            ("commit outcome", method),
            ("committed outcome", method),
        )
    )
    return [Happening(at, "doom", {"point": point, "after": after}), _asking(git, at + 0.1, _ASKS[method])]


def _acting(git: Git, at: float) -> Happening:
    """A manifest asks for an action, where this platform has one."""
    able = [path for path in sorted(git.held) if git.held[path][0].action]
    if not able:
        return _edit(git, at)
    path = git.chance.choice(able)
    sample, suffix, _, lifecycle = git.held[path]
    git.write(sample, suffix, path, **{**lifecycle, "actions": {sample.action: {}}})
    return _commit(git, at)


def _asking(git: Git, at: float, asks: Sequence[_Turn]) -> Happening:
    return git.chance.choice([*asks] or [_edit, _edit, _add, _remove])(git, at)


def _trouble(git: Git, at: float) -> list[Happening]:
    trouble = git.chance.choice(_TROUBLES)(git.chance, at)
    if git.cell.login and git.chance.random() < 0.2:
        trouble = Happening(at, "token", {"how": "expired", "seconds": 0.0})
    return [trouble, *([_asking(git, at + 0.1, ())] if git.chance.random() < 0.6 else [])]


def _git(git: Git, at: float) -> list[Happening]:
    return [git.chance.choice(_COMMITS)(git, at)]


_RACES = (
    ("create", "make"),
    ("create", "make the same"),
    ("change", "edit"),
    ("change", "delete"),
    ("DELETE", "delete"),
    ("DELETE", "make again"),
    ("DELETE", "edit"),
    ("GET", "edit"),
    ("GET", "delete"),
)
_COMMITS: tuple[_Turn, ...] = (
    *(_edit, _edit, _edit, _add, _add, _remove, _remove, _move, _rename, _break, _double, _depend, _depend),
    *(_lifecycle, _lifecycle, _person, _person, _empty),
)
_ASKS: Mapping[str, Sequence[_Turn]] = {
    "create": (_add,),
    "POST": (_add,),
    "change": (_edit,),
    "PUT": (_edit,),
    "PATCH": (_edit,),
    "DELETE": (_remove,),
}


def _store(chance: random.Random, at: float) -> Happening:
    code = chance.choice(("SQLITE_FULL", "SQLITE_FULL", "SQLITE_BUSY", "SQLITE_IOERR"))
    commits, skip = chance.choice((1, 3, 12, 40)), chance.randint(0, 12)
    return Happening(at, "disk", {"code": code, "commits": commits, "skip": skip})


def _restart(chance: random.Random, at: float) -> Happening:
    return Happening(
        at, "restart", {"store": chance.choice(("kept", "rotten", "lost", "old")), "pick": chance.random()}
    )


def _clock(chance: random.Random, at: float) -> Happening:
    return Happening(at, "clock", {"ahead": chance.choice((3600.0, -3600.0, -1_769_999_000.0, 90.0))})


def _freeze(chance: random.Random, at: float) -> Happening:
    return Happening(at, "freeze", {"seconds": chance.choice((40.0, 600.0)), "skip": chance.randint(0, 60)})


def _stop(chance: random.Random, at: float) -> Happening:
    return Happening(at, "stop", {"skip": chance.randint(0, 40), "grace": chance.choice((0.0, 1.0, 20.0))})


def _source(chance: random.Random, at: float) -> Happening:
    return Happening(
        at, "source", {"how": chance.choice(("down", "older", "rewritten")), "fetches": chance.randint(1, 4)}
    )


def _token(chance: random.Random, at: float) -> Happening:
    how = chance.choice(("revoked", "rotated", "expired"))
    return Happening(at, "token", {"how": how, "seconds": chance.choice((1.0, 30.0, 120.0))})


def _platform(chance: random.Random, at: float) -> Happening:
    words = chance.choice(("backup", "quota", "quota", "outage", "second", "check", "nowhere", "nowhere"))
    if words == "nowhere":
        return Happening(at, "nowhere", {"passes": chance.choice((1, 2, 3))})
    if words == "outage":
        return Happening(at, "outage", {"seconds": chance.choice((300.0, 3600.0, 86400.0))})
    return Happening(at, words, {"calls": chance.choice((10, 30, 60)), "later": chance.choice((40.0, 120.0))})


_TROUBLES = (_store, _restart, _restart, _clock, _freeze, _stop, _source, _token, _platform, _platform)
_TURNS: tuple[Callable[[Git, float], list[Happening]], ...] = (
    *(_git, _git, _git, _git, _race, _race, _fault, _fault, _fault, _trouble, _trouble, _doom),
)
