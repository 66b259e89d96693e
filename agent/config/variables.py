"""``variables`` of the configuration: what manifests may name as ``${NAME}``, each with a type and a value.

Used by ``checks`` and ``load``. Pure: the environment is handed in, and read only where a variable says so, and then
only for names that begin with :data:`ENVIRONMENT`, so that no credential of the environment can be named, whoever wrote
the configuration. A value may name other variables; what names itself in the end is a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from agent.config.faults import Fault, as_text, join
from agent.errors import Where
from agent.errors.near import near
from agent.model.rendering import Variable, Variables

ENVIRONMENT = "DATAKEEL_VAR_"
VALUE_MAX = 65_536
"""Characters of one value, once the variables that it names are put in."""
WORDS = ("value", "env", "type", "description")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_REFERENCE = re.compile(r"\$\$\{|\$\{([^{}\n]*)\}")
_TYPES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": (int, Decimal),
    "boolean": bool,
    "list": list,
    "mapping": dict,
}
_LEVELS_MAX = 20


class Declared:
    """The variables of one target, or of all: as written, then resolved. Faults are found on the way."""

    def __init__(self, target: str, environ: Mapping[str, str]) -> None:
        self._target = target
        self._environ = environ
        self._written: dict[str, tuple[tuple[str, ...], Mapping[str, Any]]] = {}  # name -> its place, its words
        self._full: set[str] = set()
        self._types: dict[str, str] = {}
        self._values: dict[str, Any] = {}
        self._inner: dict[str, set[str]] = {}
        self._clashing: set[str] = set()  # named with two types, which is told already
        self.own: set[str] = set()
        self.faults: list[Fault] = []

    def take(self, at: tuple[str, ...], written: Any, *, own: bool) -> None:
        """Variables as they stand at a place; later ones win. Parts of an unexpected type are left to the schema."""
        for name, words in written.items() if isinstance(written, dict) else ():
            place = (*at, name)
            if not _NAME.fullmatch(name):
                what = "a variable's name has letters, digits, `-` and `_`, 64 at most, and begins with no digit"
                self._fault(place, what, as_text(name), on_key=True)
                continue
            full = words if isinstance(words, dict) else {"value": words}
            if self._is_well_formed(place, full, is_mapping=isinstance(words, dict)):
                self._note_type(name, place, full)
                if "value" in full or "env" in full or name not in self._written:
                    self._written[name] = (place, full)
                    (self._full.add if isinstance(words, dict) else self._full.discard)(name)
                if own:
                    self.own.add(name)

    def resolved(self, where: Callable[[str], Where]) -> Variables:
        """All values, each with its place; what has a fault is left out."""
        known: dict[str, Variable] = {}
        for name, (place, words) in self._written.items():
            value = self._value(name, ())
            if value is None:
                continue
            self._check_type(name, place, words, value)
            if "env" in words:
                known[name] = Variable(value, Where(f"environment variable {words['env']}"))
            else:
                at = where(join(*place, *self._below(name)))
                known[name] = Variable(value, at, tuple(sorted(self._inner.get(name, ()))))
        return Variables(known, frozenset(self.own))

    def _below(self, name: str) -> tuple[str, ...]:
        """From the variable to its value: one written in full has a word for it."""
        return ("value",) if name in self._full else ()

    def _is_well_formed(self, place: tuple[str, ...], words: Mapping[str, Any], *, is_mapping: bool) -> bool:
        unknown = [word for word in words if word not in WORDS]
        if unknown:
            fix = near(unknown[0], WORDS) or f"write {{value: {{{unknown[0]}: …}}}} where a mapping is the value"
            self._fault((*place, unknown[0]), f"`{unknown[0]}` is not known of a variable", None, fix, on_key=True)
            return False
        if "value" in words and "env" in words:
            self._fault(place, "the variable has both `value` and `env`", None, "keep one of them")
            return False
        variable = words.get("env")
        if variable is not None and not (isinstance(variable, str) and variable.startswith(ENVIRONMENT)):
            what = f"`env` must name a variable of the environment that begins with {ENVIRONMENT}"
            fix = "so no credential gets into a manifest by mistake; a secret is written {secretRef: NAME} there"
            self._fault((*place, "env"), what, as_text(variable), fix)
            return False
        declared = words.get("type")
        if declared is not None and declared not in _TYPES:
            fix = near(str(declared), _TYPES) or f"one of {', '.join(_TYPES)}"
            self._fault((*place, "type"), "there is no such type", as_text(declared), fix)
            return False
        if _holds_secret(words.get("value")):
            what = "a variable is never a secret, and no reference to one"
            self._fault(place, what, None, "write {secretRef: NAME} in the manifest", code="variable-secret")
            return False
        return bool(words) or not is_mapping

    def _note_type(self, name: str, place: tuple[str, ...], words: Mapping[str, Any]) -> None:
        """The first word on a variable says its type: by name, or by its value."""
        declared = words.get("type")
        if declared is not None and name in self._types and self._types[name] != declared:
            what = f"the variable `{name}` is {_a(self._types[name])} elsewhere"
            self._fault((*place, "type"), what, as_text(declared), code="variable-type")
            self._clashing.add(name)
        elif declared is not None:
            self._types.setdefault(name, declared)
        elif "env" in words:
            self._types.setdefault(name, "string")
        elif "value" in words and words["value"] is not None and not _names(words["value"]):
            self._types.setdefault(name, _type_of(words["value"]))

    def _value(self, name: str, above: tuple[str, ...]) -> Any:
        """The value with the variables that it names put in; None after a fault was told."""
        if name not in self._values:
            self._values[name] = self._value_anew(name, above)
        return self._values[name]

    def _value_anew(self, name: str, above: tuple[str, ...]) -> Any:
        place, words = self._written[name]
        if "env" in words:
            return self._from_environment(name, place, words)
        if words.get("value") is None:
            what = f"the variable `{name}` has no value in target {self._target}"
            fix = f"write one: {name}: VALUE, here or under targets.{self._target}.variables"
            self._fault(place, what, None, fix, code="variable-unknown")
            return None
        if len(above) >= _LEVELS_MAX:
            what = f"variables name one another over more than {_LEVELS_MAX} levels"
            self._fault(place, what, None, "write some of the values out", code="variable-expansion")
            return None
        filled = self._filled(words["value"], (*above, name), place)
        if filled is not None and _size(filled) > VALUE_MAX:
            what = f"the value of `{name}` has more than {VALUE_MAX:,} characters"
            self._fault(place, what, None, "make it smaller", code="variable-expansion")
            return None
        return filled

    def _filled(self, value: Any, names: tuple[str, ...], place: tuple[str, ...]) -> Any:
        if isinstance(value, dict):
            return {key: self._filled(member, names, place) for key, member in value.items()}
        if isinstance(value, list):
            return [self._filled(member, names, place) for member in value]
        if not isinstance(value, str) or "${" not in value:
            return value
        found = {match[1] for match in _REFERENCE.finditer(value) if match[1] is not None}
        self._inner.setdefault(names[-1], set()).update(found)
        inner: dict[str, Any] = {}
        for name in sorted(found):
            if name in names:
                circle = " -> ".join((*names[names.index(name) :], name))
                what = f"the variable names itself: {circle}"
                self._fault(place, what, as_text(value), "give one of them a value of its own", code="variable-cycle")
                return None
            if name not in self._written:
                fix = near(name, self._written) or f"declare it beside this one, or write $${{{name}}} for the text"
                what = f"the value names a variable `{name}` that has no value"
                self._fault(place, what, as_text(value), fix, code="variable-unknown")
                return None
            inner[name] = self._value(name, names)
            if inner[name] is None:
                return None
        return self._put_in(value, inner, place)

    def _put_in(self, text: str, inner: Mapping[str, Any], place: tuple[str, ...]) -> Any:
        whole = _REFERENCE.fullmatch(text)
        if whole is not None and whole[1] is not None:
            return inner[whole[1]]
        for name, value in inner.items():
            if isinstance(value, (dict, list)):
                what = f"the variable `{name}` is {_a(_type_of(value))}, which cannot stand inside of a text"
                self._fault(place, what, as_text(text), code="variable-type")
                return None
        length = sum(len(_plain(value)) * text.count(f"${{{name}}}") for name, value in inner.items())
        if length > VALUE_MAX:
            what = f"the value has more than {VALUE_MAX:,} characters"
            self._fault(place, what, None, "make it smaller", code="variable-expansion")
            return None
        return _REFERENCE.sub(lambda found: "${" if found[1] is None else _plain(inner[found[1]]), text)

    def _from_environment(self, name: str, place: tuple[str, ...], words: Mapping[str, Any]) -> Any:
        variable = words["env"]
        text = self._environ.get(variable)
        if not text:
            what = f"the environment has no variable {variable}" if text is None else f"{variable} is empty"
            self._fault((*place, "env"), what, None, "set it, or give the variable a value", code="variable-unknown")
            return None
        if any("\ud800" <= character <= "\udfff" for character in text):  # bytes that are no text come out so
            self._fault((*place, "env"), f"{variable} is not UTF-8", None)
            return None
        return _typed(text, self._types[name])

    def _check_type(self, name: str, place: tuple[str, ...], words: Mapping[str, Any], value: Any) -> None:
        wanted = self._types.get(name)
        if wanted is None or name in self._clashing or _is_of(value, wanted):
            return
        what = f"the variable `{name}` must be {_a(wanted)}, not {_a(_type_of(value))}"
        at = (*place, "env") if "env" in words else (*place, "value") if "type" in words else place
        self._fault(at, what, as_text(value), code="variable-type")

    def _fault(
        self,
        place: tuple[str, ...],
        what: str,
        got: str | None,
        fix: str | None = None,
        *,
        code: str = "config-invalid",
        on_key: bool = False,
    ) -> None:
        fault = Fault(join(*place), code, what, got, fix, "key" if on_key else "value")
        if fault not in self.faults:
            self.faults.append(fault)


def resolve_variables(
    document: Mapping[str, Any], environ: Mapping[str, str], where: Callable[[str], Where]
) -> tuple[dict[str, Variables], list[Fault]]:
    """The variables of each target, those of all targets first, and what is wrong with them."""
    found: dict[str, Variables] = {}
    faults: dict[Fault, None] = {}
    targets = document.get("targets")
    for name, target in targets.items() if isinstance(targets, dict) else ():
        own = target.get("variables") if isinstance(target, dict) else None
        if not own and not document.get("variables"):
            continue
        declared = Declared(name, environ)
        declared.take(("variables",), document.get("variables"), own=False)
        declared.take(("targets", name, "variables"), own, own=True)
        found[name] = declared.resolved(where)
        faults |= dict.fromkeys(declared.faults)
    return found, list(faults)


def _names(value: Any) -> bool:
    return isinstance(value, str) and "${" in value


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return next((name for name, kind in _TYPES.items() if isinstance(value, kind)), "null")


def _is_of(value: Any, wanted: str) -> bool:
    found = _type_of(value)
    return found == wanted or (wanted == "number" and found == "integer")


def _a(name: str) -> str:
    return {"string": "text", "integer": "a whole number", "boolean": "true or false"}.get(name, f"a {name}")


def _typed(text: str, wanted: str) -> Any:
    """The text of the environment as the declared type; as it is where it is no such thing."""
    if wanted == "boolean" and text in ("true", "false"):
        return text == "true"
    if wanted in ("integer", "number") and re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", text):
        return int(text)
    if wanted == "number" and re.fullmatch(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,18}", text):
        return Decimal(text)
    return text


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else format(value, "f") if isinstance(value, Decimal) else str(value)


def _holds_secret(value: Any) -> bool:
    if isinstance(value, dict):
        return "secretRef" in value or any(map(_holds_secret, value.values()))
    return isinstance(value, list) and any(map(_holds_secret, value))


def _size(value: Any) -> int:
    total, waiting = 0, [value]
    while waiting and total <= VALUE_MAX:
        node = waiting.pop()
        if isinstance(node, dict):
            waiting.extend(node.values())
            total += sum(map(len, node))
        elif isinstance(node, list):
            waiting.extend(node)
        else:
            total += len(_plain(node)) + 1
    return total
