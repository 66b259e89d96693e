"""The members of an object as a schema of the document declares them, through references, `allOf` and alternatives.

A shallow and generous reading, made for guessing: what one of several alternatives declares counts. Cyclic references
end the walk, and no schema is read twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.drafting.document import Document

Face = tuple[Mapping[str, Any], bool]

_DEEPEST = 30
_FACES_MAX = 200


@dataclass(frozen=True, slots=True)
class Members:
    """What an object may hold: schema of each member (behind no reference yet), and which must be there."""

    schemas: Mapping[str, Any]
    required: frozenset[str]
    name: str = ""  # of the schema that the document gave it, such as Book

    def __bool__(self) -> bool:
        return bool(self.schemas)

    def __contains__(self, name: object) -> bool:
        return name in self.schemas


_NOTHING = Members({}, frozenset())


@dataclass(slots=True)
class Reader:
    """Reads schemas of one document; what was read is kept."""

    document: Document
    _members: dict[int, tuple[Any, Members]] = field(default_factory=dict)
    _faces: dict[int, tuple[Any, tuple[Face, ...]]] = field(default_factory=dict)

    def faces(self, schema: Any) -> tuple[Face, ...]:
        """A schema and all that speak of the same value, each with whether it holds in any case."""
        known = self._faces.get(id(schema))
        if known is None:  # the schema is held, so that its id stays its own
            known = self._faces[id(schema)] = (schema, tuple(self._found(schema)))
        return known[1]

    def _found(self, schema: Any) -> Iterator[Face]:
        seen: set[int] = set()
        pending = [(schema, True, 0)]
        while pending and len(seen) < _FACES_MAX:
            node, holds, depth = pending.pop(0)
            if not isinstance(node, Mapping) or id(node) in seen or depth > _DEEPEST:
                continue
            seen.add(id(node))
            yield node, holds
            if isinstance(node.get("$ref"), str):
                pending.append((self.document.follow(node["$ref"]), holds, depth + 1))
            pending += [(part, holds, depth + 1) for part in _list(node.get("allOf"))]
            branches = [*_list(node.get("anyOf")), *_list(node.get("oneOf"))]
            alone = len([one for one in branches if not _is_null(one)]) == 1
            pending += [(part, holds and alone, depth + 1) for part in branches]

    def members(self, schema: Any) -> Members:
        """The members of an object."""
        if not isinstance(schema, Mapping):
            return _NOTHING
        known = self._members.get(id(schema))
        if known is not None:
            return known[1]
        schemas: dict[str, Any] = {}
        required: set[str] = set()
        for face, sure in self.faces(schema):
            for name, member in _mapping(face.get("properties")).items():
                if isinstance(name, str) and isinstance(member, Mapping | bool):
                    schemas.setdefault(name, member)
            if sure:
                required |= {name for name in _list(face.get("required")) if isinstance(name, str)}
        found = Members(schemas, frozenset(required & schemas.keys()), self.name(schema))
        self._members[id(schema)] = (schema, found)
        return found

    def name(self, schema: Any) -> str:
        """The name that the document gives a schema, or the only one that it is composed of."""
        for _ in range(_DEEPEST):
            if not isinstance(schema, Mapping):
                return ""
            if isinstance(schema.get("$ref"), str):
                return str(schema["$ref"].rpartition("/")[2])
            parts = [one for one in _list(schema.get("allOf")) if isinstance(one, Mapping)]
            if len(parts) != 1:
                return ""
            schema = parts[0]
        return ""

    def word(self, schema: Any, word: str) -> Any:
        """What the nearest face says for a keyword; None where none does."""
        return next((face[word] for face, _ in self.faces(schema) if word in face), None)

    def types(self, schema: Any) -> frozenset[str]:
        """The types that a value may have, apart from null; empty where nothing is said."""
        found: set[str] = set()
        for face, _ in self.faces(schema):
            said = face.get("type")
            found |= {said} if isinstance(said, str) else {one for one in _list(said) if isinstance(one, str)}
            if "properties" in face and "type" not in face:
                found.add("object")
            if isinstance(face.get("enum"), list) and face["enum"] and "type" not in face:
                found |= {"string"} if all(isinstance(one, str) for one in face["enum"]) else set()
        return frozenset(found - {"null"})

    def is_text(self, schema: Any) -> bool:
        """Whether a value is text that a person may choose: no moment, no file, no one of a few words."""
        types = self.types(schema)
        if types and "string" not in types:
            return False
        said = self.word(schema, "format")
        return said not in ("date-time", "date", "binary", "byte", "password") and self.word(schema, "enum") is None

    def elements(self, schema: Any) -> Any:
        """The schema of the elements of a list; None for anything else."""
        for face, _ in self.faces(schema):
            if "items" in face and (face.get("type") in (None, "array") or "array" in _list(face.get("type"))):
                return face["items"]
        return {} if "array" in self.types(schema) else None

    def is_read_only(self, schema: Any) -> bool:
        return self.word(schema, "readOnly") is True


def _is_null(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("type") == "null"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
