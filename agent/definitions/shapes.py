"""The shapes of single values in a definition, and how each turns a YAML value into a compiled one.

``vocabulary.py`` is written in these and in those of ``maps.py``. ``read`` reports what is wrong,
returns BAD for it and goes on, so that all mistakes of a file come out at once. A shape knows nothing of other words:
what must fit together is checked after inheritance, in ``check.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from agent.definitions.expressions import Expression, ExpressionError, PathTemplate, Template
from agent.definitions.places import BAD, Faults, Place, did_you_mean

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
DURATION = re.compile(r"([1-9][0-9]{0,6})([smhd])")
HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
POINTER = re.compile(r"(?:/(?:[^~/{}]|~[01]|\{[A-Za-z_][A-Za-z0-9_.-]*\})*)*")


class Shape(Protocol):
    """How a value looks. ``read`` gives the compiled value, or BAD after reporting why it is none."""

    def read(self, value: Any, place: Place, faults: Faults) -> Any: ...


class Request(NamedTuple):
    """``METHOD /path?query``, taken apart."""

    method: str
    template: PathTemplate


@dataclass(frozen=True, slots=True)
class Text:
    """Non-empty text; ``called`` says what it is, ``pattern`` what it must match as a whole."""

    called: str = "text"
    pattern: re.Pattern[str] | None = None

    def read(self, value: Any, place: Place, faults: Faults) -> Any:
        if not isinstance(value, str) or not value.strip():
            faults.add(place, f"must be {self.called}, not {kind_of(value)}", got=shown(value))
            return BAD
        if self.pattern and not self.pattern.fullmatch(value):
            faults.add(place, f"`{value[:80]}` is not {self.called}", got=value)
            return BAD
        return value


@dataclass(frozen=True, slots=True)
class Flag:
    def read(self, value: Any, place: Place, faults: Faults) -> Any:
        if not isinstance(value, bool):
            faults.add(place, f"must be true or false, not {kind_of(value)}", got=shown(value))
            return BAD
        return value


@dataclass(frozen=True, slots=True)
class Whole:
    """An integer between two bounds."""

    minimum: int
    maximum: int = 1_000_000_000

    def read(self, value: Any, place: Place, faults: Faults) -> Any:
        if not isinstance(value, int) or isinstance(value, bool):
            faults.add(place, f"must be a whole number, not {kind_of(value)}", got=shown(value))
            return BAD
        if not self.minimum <= value <= self.maximum:
            faults.add(place, f"must be between {self.minimum} and {self.maximum}", got=value)
            return BAD
        return value


@dataclass(frozen=True, slots=True)
class Duration:
    """``15s``, ``5m``, ``1h``, ``1d`` → seconds."""

    def read(self, value: Any, place: Place, faults: Faults) -> Any:
        match = DURATION.fullmatch(value) if isinstance(value, str) else None
        if not match:
            faults.add(place, "must be a duration", got=shown(value), fix="write 15s, 5m, 1h or 1d")
            return BAD
        return int(match[1]) * _SECONDS[match[2]]


@dataclass(frozen=True, slots=True)
class OneOf:
    values: tuple[str, ...]

    def read(self, value: Any, place: Place, faults: Faults) -> Any:
        if value not in self.values:
            fix = (
                did_you_mean(value, self.values) if isinstance(value, str) else f"known here: {', '.join(self.values)}"
            )
            faults.add(place, f"must be one of {', '.join(self.values)}", got=shown(value), fix=fix)
            return BAD
        return value


@dataclass(frozen=True, slots=True)
class Jmes:
    """A JMESPath expression."""

    def read(self, value: Any, place: Place, faults: Faults) -> Any:
        if not isinstance(value, str):
            faults.add(place, f"must be a JMESPath expression, not {kind_of(value)}", got=shown(value))
            return BAD
        return _compiled(Expression, value, place, faults)


@dataclass(frozen=True, slots=True)
class Body:
    """Any structure with ``${…}`` in its scalars; ``text`` restricts it to one text."""

    text: bool = False

    def read(self, value: Any, place: Place, faults: Faults) -> Any:
        if self.text and not isinstance(value, str):
            faults.add(place, f"must be text, not {kind_of(value)}", got=shown(value))
            return BAD
        return _compiled(Template, value, place, faults)


@dataclass(frozen=True, slots=True)
class Line:
    """A request line: ``GET /resources?limit=1``."""

    def read(self, value: Any, place: Place, faults: Faults) -> Any:
        if not isinstance(value, str):
            faults.add(place, f"must be a request line, not {kind_of(value)}", got=shown(value), fix=_LINE)
            return BAD
        method, blank, path = value.partition(" ")
        if not blank or method not in METHODS:
            near = did_you_mean(method, METHODS) if blank else None
            faults.add(place, f"must begin with one of {', '.join(METHODS)}", got=value, fix=near or _LINE)
            return BAD
        template = _compiled(PathTemplate, path.strip(), place, faults)
        return BAD if template is BAD else Request(method, template)


_LINE = "write METHOD /path, for example `GET /resources?limit=1`"


@dataclass(frozen=True, slots=True)
class PathLine:
    """A path without a method."""

    query: bool = True

    def read(self, value: Any, place: Place, faults: Faults) -> Any:
        if not isinstance(value, str):
            faults.add(place, f"must be a path, not {kind_of(value)}", got=shown(value))
            return BAD
        if not self.query and ("?" in value or value.endswith("/")):
            faults.add(place, "must be a path without a query and without a `/` at its end", got=value)
            return BAD
        return _compiled(PathTemplate, value, place, faults)


@dataclass(frozen=True, slots=True)
class Pointer:
    """An RFC 6901 pointer; a step may be ``*`` or hold ``{word}``."""

    def read(self, value: Any, place: Place, faults: Faults) -> Any:
        reason = pointer_fault(value)
        if reason:
            faults.add(place, reason, got=shown(value), fix="write /member/other, for example /workflow/schedule")
            return BAD
        return value


def pointer_fault(value: Any) -> str | None:
    """Why a value is no pointer, or None."""
    if not isinstance(value, str):
        return f"must be a JSON Pointer, not {kind_of(value)}"
    if not value.startswith("/"):
        return f"`{value[:80]}` is not a JSON Pointer: it starts with `/`"
    return None if POINTER.fullmatch(value) else f"`{value[:80]}` is not a JSON Pointer"


@dataclass(frozen=True, slots=True)
class Regex:
    def read(self, value: Any, place: Place, faults: Faults) -> Any:
        if not isinstance(value, str) or len(value) > 200:
            faults.add(place, "must be a regular expression of at most 200 characters", got=shown(value))
            return BAD
        try:
            re.compile(value)
        except (re.error, RecursionError, OverflowError) as error:
            faults.add(place, f"is not a regular expression: {error}", got=value)
            return BAD
        return value


@dataclass(frozen=True, slots=True)
class Anything:
    """A JSON value, taken as it is."""

    def read(self, value: Any, place: Place, faults: Faults) -> Any:
        return value


@dataclass(frozen=True, slots=True)
class Scalar:
    """A constant: text, a number or a truth value."""

    def read(self, value: Any, place: Place, faults: Faults) -> Any:
        if isinstance(value, Mapping | list) or value is None or value == "":
            faults.add(place, f"must be a constant, not {kind_of(value)}")
            return BAD
        return value


@dataclass(frozen=True, slots=True)
class RawMap:
    """A map taken as it is: a JSON Schema, or a table of constants."""

    called: str
    example: str

    def read(self, value: Any, place: Place, faults: Faults) -> Any:
        if not isinstance(value, Mapping) or not value:
            fix = f"for example {self.example}"
            faults.add(place, f"must be {self.called}, not {kind_of(value)}", got=shown(value), fix=fix)
            return BAD
        return value


def kind_of(value: Any) -> str:
    """The JSON type of a value, as a person says it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a truth value"
    if isinstance(value, str):
        return "text" if value.strip() else "empty text"
    return "a map" if isinstance(value, Mapping) else "a list" if isinstance(value, list) else "a number"


def shown(value: Any) -> str | None:
    """A value for ``got``: scalars only."""
    return None if value is None or isinstance(value, Mapping | list) else str(value)


def _compiled(make: Callable[[Any], Any], value: Any, place: Place, faults: Faults) -> Any:
    try:
        return make(value)
    except ExpressionError as error:
        faults.add(place, str(error), got=shown(value))
        return BAD
