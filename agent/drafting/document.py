"""An OpenAPI document as it came, read under limits: its value, its dialect, and the place of whatever is wrong in it.

Called by the verb ``draft`` with the bytes of a file or of an answer. Versions 2.0, 3.0 and 3.1 (and 3.2, which only
adds to it), as JSON or YAML. Nothing outside the document is ever opened.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent import yaml_io
from agent.errors import ConfigError, Problem, Severity, Where
from agent.json_schema.reach import resolve_reference
from agent.model.canonical import digest_bytes

CODE = "openapi-invalid"
BYTES_MAX = 96 << 20
_BUDGET = yaml_io.Budget(
    bytes=BYTES_MAX, depth=200, nodes=20_000_000, aliases=100_000, documents=1, scalar=4 << 20, number=400
)
_DEEPEST = 400
_PLACED_MAX = 4 << 20  # finding lines is a second, slower parse: in a larger document the pointer must do
_TOLD_MAX = 40


@dataclass(slots=True)
class Document:
    """One document. ``problems`` collects what could not be taken in; ``name`` is its file or address in messages."""

    name: str
    source: bytes
    value: Mapping[str, Any]
    dialect: str
    problems: list[Problem] = field(default_factory=list)
    _told: set[tuple[str, str]] = field(default_factory=set)
    _places: yaml_io.Positions | None = None

    @property
    def digest(self) -> str:
        return digest_bytes(self.source)

    @property
    def title(self) -> str:
        return _text(_mapping(self.value.get("info")).get("title"))

    @property
    def version(self) -> str:
        return _text(_mapping(self.value.get("info")).get("version"))

    def tell(
        self,
        pointer: str,
        what: str,
        *,
        got: object = None,
        why: str | None = None,
        fix: str | None = None,
        severity: Severity = "warning",
    ) -> None:
        """Note what is wrong at a pointer, once."""
        if (pointer, what) in self._told or len(self._told) >= _TOLD_MAX:
            return
        self._told.add((pointer, what))
        shown = None if got is None else str(got)[:200]
        self.problems.append(Problem(CODE, what, self._where(pointer), f"#{pointer}"[:200], shown, why, fix, severity))

    def follow(self, reference: str) -> Any:
        """What a reference inside the document leads to; None, and told, where it leaves it or leads nowhere."""
        if not reference.startswith("#"):
            fix = "bundle the document into one file first; nothing else is opened or fetched"
            self.tell("", f"a reference leaves the document: {reference[:120]}", fix=fix)
            return None
        found = resolve_reference(self.value, reference)
        if found is None:
            self.tell("", f"a reference leads nowhere: {reference[:120]}")
            return None
        return found[1]

    def _where(self, pointer: str) -> Where:
        if len(self.source) > _PLACED_MAX:
            return Where(self.name)
        if self._places is None:
            self._places = yaml_io.positions(self.source, 0, _BUDGET)
        return Where(self.name, *self._places.value(pointer))


def read_document(name: str, source: bytes) -> Document:
    """The document. Raises ConfigError (``openapi-invalid``) with file, line and column for what is none."""
    if len(source) > BYTES_MAX:
        raise ConfigError(
            f"{name} has more than {BYTES_MAX >> 20} MiB",
            code=CODE,
            fix="draft from a bundled document without inlining",
        )
    value = _json(name, source) if source.lstrip()[:1] in (b"{", b"[") else _yaml(name, source)
    if not isinstance(value, dict):
        raise _wrong(name, source, "", "is no OpenAPI document: its top is no mapping", fix=_NONE)
    document = Document(name, source, value, _dialect(name, source, value))
    if not isinstance(value.get("paths"), Mapping) or not value["paths"]:
        at = "/paths" if "paths" in value else ""
        raise _wrong(name, source, at, "the document describes no paths, so there is nothing to draft", fix=_NONE)
    return document


_NONE = "name the document that the platform serves, often at /openapi.json or /swagger.json"


def _dialect(name: str, source: bytes, value: Mapping[str, Any]) -> str:
    if str(value.get("swagger", "")) == "2.0":
        return "2.0"
    written = value.get("openapi")
    if isinstance(written, str) and written.startswith(("3.0", "3.1", "3.2")):
        return written[:3]
    if "openapi" in value or "swagger" in value:
        word = "openapi" if "openapi" in value else "swagger"
        what = f"`{word}` says a version that is not known"
        fix = "versions 2.0, 3.0 and 3.1 are"
        raise _wrong(name, source, f"/{word}", what, got=value[word], fix=fix)
    raise _wrong(name, source, "", "is no OpenAPI document: neither `openapi` nor `swagger` is said", fix=_NONE)


def _json(name: str, source: bytes) -> Any:
    try:
        text = source.decode()
        value = json.loads(text, parse_constant=_refuse)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()  # halves of surrogate pairs break whoever writes them
    except json.JSONDecodeError as error:
        what = f"is not JSON: {error.msg}"
        raise ConfigError(
            what, problems=(Problem(CODE, what, Where(name, error.lineno, error.colno)),), code=CODE
        ) from None
    except UnicodeError:
        raise _plain(name, "is not UTF-8 text") from None
    except RecursionError:
        raise _plain(name, "is nested too deep") from None
    except ValueError as error:
        raise _plain(name, f"is not JSON: {str(error)[:120]}") from None
    if _is_too_deep(value):
        raise _plain(name, f"is nested more than {_DEEPEST} levels deep")
    return value


def _yaml(name: str, source: bytes) -> Any:
    loaded = yaml_io.load(source, _BUDGET)
    for problem in loaded.problems:
        if problem.severity == "error":
            where = Where(name, problem.where.line, problem.where.column)
            told = Problem(
                CODE, f"is not YAML that can be read: {problem.what}", where, None, problem.got, None, problem.fix
            )
            raise ConfigError(told.what, problems=(told,), code=CODE)
    return loaded.documents[0].value if loaded.documents else None


def _is_too_deep(value: Any) -> bool:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            return True
        following: list[Any] = []
        for node in level:
            if isinstance(node, dict):
                following += [member for member in node.values() if isinstance(member, dict | list)]
            elif isinstance(node, list):
                following += [member for member in node if isinstance(member, dict | list)]
        level = following
    return False


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _wrong(
    name: str, source: bytes, pointer: str, what: str, *, got: object = None, fix: str | None = None
) -> ConfigError:
    place = yaml_io.positions(source, 0, _BUDGET).value(pointer) if len(source) <= _PLACED_MAX else (1, 1)
    shown = None if got is None else str(got)[:200]
    problem = Problem(CODE, what, Where(name, *place), None, shown, None, fix)
    return ConfigError(what, problems=(problem,), code=CODE, where=problem.where, got=shown, fix=fix)


def _plain(name: str, what: str) -> ConfigError:
    return ConfigError(what, problems=(Problem(CODE, what, Where(name)),), code=CODE)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return " ".join(value.split())[:120] if isinstance(value, str) else ""
