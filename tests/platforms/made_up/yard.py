"""The part of the garden with things that speak of one another: gates, paths from gate to gate, fences drawn in files,
barrels of which several may have one label. It imports nothing of the engine.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class NotHere(Exception):
    """Refused, with a status, a code and a text."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status, self.code, self.text = status, code, text


@dataclass
class Yard:
    """Shelves of named things, drawings that were sent, and barrels by their own id."""

    shelves: dict[str, dict[str, dict[str, Any]]] = field(
        default_factory=lambda: {"gates": {}, "paths": {}, "fences": {}, "steps": {}}
    )
    drawings: dict[str, bytes] = field(default_factory=dict)
    barrels: dict[str, dict[str, Any]] = field(default_factory=dict)
    one_of_a_kind: bool = False
    """The same drawing is the same number, however often it is sent."""
    stubborn: str = ""
    """A member of paths that keeps what was in it."""
    lets_go: bool = False
    """A gate may go while a path leads to it."""
    number: int = 0

    def answer(self, method: str, way: list[str], body: bytes) -> tuple[int, Any]:
        value = json.loads(body) if body else {}
        match [method, *way]:
            case ["POST", "drawings"]:
                return 201, {"drawing": self._drawn(base64.b64decode(value["content"]))}
            case ["GET", "barrels"]:
                return 200, {"barrels": [*self.barrels.values()]}
            case ["POST", "barrels"]:
                uuid = f"b{self._next()}"
                self.barrels[uuid] = {**value, "uuid": uuid, "full": False}
                return 201, self.barrels[uuid]
            case [_, "barrels", uuid]:
                return self._barrel(method, uuid, value)
            case ["GET", shelf]:
                hidden = shelf != "gates"
                rows = self.shelves[shelf].values()
                return 200, {shelf: [{"name": each["name"]} if hidden else each for each in rows]}
            case ["POST", shelf]:
                if value["name"] in self.shelves[shelf]:
                    raise NotHere(409, "THERE", "it is there")
                self._checked(shelf, value)
                self.shelves[shelf][value["name"]] = {**value, "number": self._next(), "open": False}
                return 201, self.shelves[shelf][value["name"]]
            case ["POST", "gates", name, ("open" | "shut") as how]:
                there = self._there("gates", name)
                if there["open"] == (how == "open"):
                    raise NotHere(422, "SO_ALREADY", f"it is {how} already")
                there["open"] = how == "open"
                return 200, there
            case [_, shelf, name]:
                return self._thing(method, shelf, name, value)
        raise NotHere(404, "NO_SUCH_PATH", "there is no such path")

    def _thing(self, method: str, shelf: str, name: str, value: Mapping[str, Any]) -> tuple[int, Any]:
        there = self._there(shelf, name)
        if method == "DELETE":
            if shelf == "gates" and self._is_used(there["number"]):
                raise NotHere(409, "IN_USE", "a path leads to it")
            del self.shelves[shelf][name]
            return 204, None
        if method == "PUT":
            self._checked(shelf, value)
            kept = {self.stubborn: there[self.stubborn]} if self.stubborn and shelf == "paths" else {}
            own = {"name": name, "number": there["number"], "open": there["open"]}
            there = self.shelves[shelf][name] = {**value, **own, **kept}
        return 200, there

    def _barrel(self, method: str, uuid: str, value: Mapping[str, Any]) -> tuple[int, Any]:
        if uuid not in self.barrels:
            raise NotHere(404, "NO_BARREL", "there is no such barrel")
        if method == "DELETE":
            del self.barrels[uuid]
            return 204, None
        if method == "PUT":
            self.barrels[uuid] = {**value, "uuid": uuid, "full": False}
        return 200, self.barrels[uuid]

    def _checked(self, shelf: str, value: Mapping[str, Any]) -> None:
        known = {each["number"] for each in self.shelves["gates"].values()}
        if shelf in ("paths", "steps") and not _gates_of(value) <= known:
            raise NotHere(422, "NO_GATE", f"there are the gates {sorted(known)}")
        if shelf == "fences" and not {*value.get("sheets", ()), value.get("plan")} - {None} <= self.drawings.keys():
            raise NotHere(422, "NO_DRAWING", "there is no such drawing")

    def _drawn(self, content: bytes) -> str:
        same = [name for name, each in self.drawings.items() if each == content]
        name = same[0] if same and self.one_of_a_kind else f"d{self._next()}"
        self.drawings[name] = content
        return name

    def _there(self, shelf: str, name: str) -> dict[str, Any]:
        if name not in self.shelves.get(shelf, {}):
            raise NotHere(404, "NOTHING", "there is no such thing")
        return self.shelves[shelf][name]

    def _is_used(self, number: int) -> bool:
        return not self.lets_go and any(number in _gates_of(path) for path in self.shelves["paths"].values())

    def _next(self) -> int:
        self.number += 1
        return self.number


def _gates_of(path: Mapping[str, Any]) -> set[int]:
    stops = {stop["gate"] for stop in path.get("stops", ())}
    return {*path.get("along", ()), *stops} | ({path["to"]} if "to" in path else set())
