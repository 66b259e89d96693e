"""``DATAKEEL_SOURCE__BRANCH=main``: environment variables laid over the configuration, guided by its schema.

Called by ``config.load`` before anything is checked, so that one set of rules serves both. Two underscores stand
between levels; letter case does not matter and ``-`` is written ``_``. Never creates a target.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from agent.config.faults import Fault, dotted, join
from agent.config.variables import ENVIRONMENT
from agent.errors.near import near

PREFIX = "DATAKEEL_"
# Kubernetes describes each Service of the namespace in such variables; a Service may well be called datakeel.
_SERVICE_LINK = re.compile(r"^DATAKEEL(_.*)?_(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_[0-9]+_.*)?)$")


class Overlay:
    """The document with the variables laid over it, which pointer each set, and the faults of the variables."""

    def __init__(self, document: dict[str, Any], schema: Mapping[str, Any]) -> None:
        self.document = document
        self.origins: dict[str, str] = {}
        self.faults: list[tuple[str, Fault]] = []  # variable, fault
        self._schema = schema

    def apply(self, environ: Mapping[str, str]) -> None:
        """Lay every ``DATAKEEL_…`` variable over the document. An empty one counts as unset."""
        as_credentials = set(named_by_references(self.document))
        for name in sorted(environ):
            if not name.startswith(PREFIX) or name == "DATAKEEL_CONFIG" or not environ[name]:
                continue
            if name in as_credentials or name.startswith(ENVIRONMENT) or _SERVICE_LINK.match(name):
                continue
            self._apply_one(name, environ[name])

    def _apply_one(self, variable: str, text: str) -> None:
        node: Mapping[str, Any] = self._schema
        current: Any = self.document
        words: list[str] = []
        parts = variable.removeprefix(PREFIX).split("__")
        for position, part in enumerate(parts):
            found = self._step(variable, node, current, words, part)
            if found is None:
                return
            word, node = found
            words.append(word)
            if position == len(parts) - 1:
                break
            if not isinstance(current.get(word), dict):
                if word in current and current[word] is not None:
                    return  # not a mapping where one is due: the schema says so, at the place in the file
                current[word] = {}
            current = current[word]
        if "variables" in words[0:3:2]:
            what = "a variable of manifests is never taken from the environment unless the configuration names it"
            fix = f"write {words[-1]}: {{env: {ENVIRONMENT}{words[-1].upper()}}} there"
            self.faults.append((variable, Fault(join(*words), "config-invalid", what, fix=fix)))
            return
        try:
            text.encode()  # bytes that are no text come out of the environment as halves of surrogate pairs
            value = _typed(text, node)
        except UnicodeEncodeError:
            self.faults.append((variable, Fault(join(*words), "config-invalid", "its value is not UTF-8")))
            return
        except ValueError as error:
            self.faults.append((variable, Fault(join(*words), "config-invalid", str(error))))
            return
        current[words[-1]] = value
        self.origins[join(*words)] = variable

    def _step(
        self, variable: str, node: Mapping[str, Any], current: Any, words: list[str], part: str
    ) -> tuple[str, Mapping[str, Any]] | None:
        """The key that one part of the variable's name means, and that key's schema."""
        node = self._resolved(node)
        properties: Mapping[str, Any] = node.get("properties", {})
        for name, below in properties.items():
            if _folded(name) == _folded(part):
                return name, self._resolved(below)
        below = node.get("additionalProperties", {} if "properties" not in node else False)
        existing = [name for name in current if _folded(name) == _folded(part)] if isinstance(current, dict) else []
        place = dotted(join(*words))
        if below is not False:
            if len(existing) == 1:
                return existing[0], self._resolved(below)
            if existing:
                what = f"{variable} may mean {' or '.join(existing)} in `{place}`"
                self.faults.append((variable, Fault(join(*words), "config-invalid", what)))
                return None
            if words != ["targets"] and _is_open(node):
                return part.lower(), self._resolved(below)
        known = list(properties) or (list(current) if isinstance(current, dict) else [])
        inside = f" in `{place}`" if place else ""
        what = f"{variable} is not a setting: `{part.lower()}` is not known{inside}"
        fix = near(part.lower(), known) or "variables that start with DATAKEEL_ override datakeel.yaml; unset this one"
        self.faults.append((variable, Fault(join(*words), "unknown-key", what, fix=fix)))
        return None

    def _resolved(self, node: Any) -> Mapping[str, Any]:
        if not isinstance(node, Mapping):
            return {}
        reference = node.get("$ref")
        if reference is None:
            return node
        target: Mapping[str, Any] = self._schema["$defs"][str(reference).removeprefix("#/$defs/")]
        return target


def named_by_references(value: Any) -> Iterator[str]:
    """Variables that hold credentials: they are not settings, whatever they are called."""
    if isinstance(value, dict):
        for key, member in value.items():
            if key == "env" and isinstance(member, str):
                yield member
            else:
                yield from named_by_references(member)


def _folded(word: str) -> str:
    return word.lower().replace("-", "_")


def _is_open(node: Mapping[str, Any]) -> bool:
    return node.get("type") == "object" and node.get("additionalProperties", True) is not False


def _typed(text: str, node: Mapping[str, Any]) -> Any:
    """The text as the schema's type; as it stands when it is no such thing, and the schema then says so."""
    declared = node.get("type", "string" if "enum" in node or "const" in node else None)
    types = {declared} if isinstance(declared, str) else set(declared or ())
    if "boolean" in types and text in ("true", "false"):
        return text == "true"
    if types & {"integer", "number"} and re.fullmatch(r"-?[0-9]{1,18}", text):
        return int(text)
    if "number" in types and re.fullmatch(r"-?[0-9]{1,18}\.[0-9]{1,18}", text):
        return Decimal(text)
    if not types or types & {"object", "array"}:
        return text if "string" in types and text[:1] not in "[{" else _parsed(text)
    return text


def _parsed(text: str) -> Any:
    from agent import yaml_io

    loaded = yaml_io.load(text.encode("utf-8", "surrogateescape"), yaml_io.CONFIG_BUDGET)
    if loaded.problems or len(loaded.documents) != 1:
        reason = loaded.problems[0].what if loaded.problems else "one value is needed"
        raise ValueError(f"its value cannot be read: {reason}")
    return loaded.documents[0].value
