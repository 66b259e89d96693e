"""``policy`` of the configuration: rules read, checked and compiled, so that each mistake has its line and column.

Called by ``load``, where a configuration has a policy at all. Rules stand in the configuration or in files that it
names, and so does who may change them: in a check of a pull request both are those that were merged. A target has the
rules for every target and its own; it cannot take one back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from agent import yaml_io
from agent.config.checks import is_zone
from agent.config.faults import as_text, join
from agent.config.policy_words import Policies
from agent.config.relocate import Merged
from agent.config.state import read_config_file
from agent.errors import ConfigError, Problem, Where
from agent.json_schema import Schema
from agent.model.verdict import Effect
from agent.policy.language import Condition, Mistake, NotCompiled
from agent.policy.rule import Match, Rule

POLICY_FILE = "#/$defs/policyFile"
_MATCHED = ("kinds", "actions", "causes", "names", "paths", "targets")


@dataclass(frozen=True, slots=True)
class Text:
    """The bytes that a block of rules stands in, and how they are called."""

    content: bytes
    shown: str

    def where(self, pointer: str, at: str = "value") -> Where:
        """The place of a value, or of its ``key``."""
        places = self._positions
        return Where(self.shown, *(places.key(pointer) if at == "key" else places.value(pointer)))

    def inside(self, pointer: str, mistake: Mistake) -> Where:
        """Where in the file a place of an expression is; the beginning of the text where lines were folded."""
        line, column = self._positions.value(pointer)
        lines = self.content.decode("utf-8", "replace").split("\n")
        first = lines[line - 1][column - 1 :] if line <= len(lines) else ""
        if first[:1] == "|":
            at = line + mistake.line
            body = lines[at - 1] if at <= len(lines) else ""
            below = next((each for each in lines[line:] if each.strip()), "")
            indent = len(below) - len(below.lstrip(" "))
            return Where(self.shown, at, min(indent + mistake.column, len(body) + 1))
        if mistake.line > 1 or first[:1] == ">":
            return Where(self.shown, line, column)
        return Where(self.shown, line, column + mistake.column - 1 + (first[:1] in "\"'"))

    @property
    def _positions(self) -> yaml_io.Positions:
        return _positions(self.content)


@lru_cache(maxsize=4)
def _positions(content: bytes) -> yaml_io.Positions:
    return yaml_io.positions(content, 0, yaml_io.CONFIG_BUDGET)


def read_policies(
    document: Mapping[str, Any], content: bytes, shown: str, folder: Path, merged: Merged | None
) -> Policies:
    """The policies of a configuration that its schema may still refuse: what has not the right form is left to that."""
    found = Policies()
    text, files = Text(content, shown), _Files(folder, merged, found)
    common = list(_block(document.get("policy"), "/policy", text, files, found.problems))
    targets = document.get("targets")
    for name, target in targets.items() if isinstance(targets, dict) else ():
        written = target.get("policy") if isinstance(target, dict) else None
        own = list(_block(written, join("targets", name, "policy"), text, files, found.problems))
        found.rules[name] = (*common, *own)
        found.problems += _repeated(found.rules[name])
    found.problems = list(dict.fromkeys(found.problems))
    return found


def read_policy_file(path: Path, shown: str) -> tuple[tuple[Rule, ...], list[Problem]]:
    """The rules of one file, and its mistakes."""
    problems: list[Problem] = []
    rules = list(_of_file(path, shown, problems))
    problems += _repeated(rules)
    return tuple(rules), problems


class _Files:
    """Files that blocks name, each read once. The name in messages is the one that was written."""

    def __init__(self, folder: Path, merged: Merged | None, found: Policies) -> None:
        self._folder = folder
        self._merged = merged
        self._found = found
        self._read: dict[Path, tuple[Rule, ...]] = {}

    def rules(self, name: str, where: Where) -> tuple[Rule, ...]:
        path = self._folder / name
        if self._merged is not None:
            path = self._merged.place(path)
        if path not in self._read:
            self._found.files[path] = None
            try:
                self._read[path] = tuple(_of_file(path, name, self._found.problems))
            except ConfigError as error:
                self._read[path] = ()
                what = f"the policy file {name} {error.what.removeprefix('the configuration ')}"
                self._found.problems.append(Problem("policy-invalid", what, where, fix="correct the path, or add it"))
        return self._read[path]


def _of_file(path: Path, shown: str, problems: list[Problem]) -> Iterator[Rule]:
    text = Text(read_config_file(path), shown)
    loaded = yaml_io.load(text.content, yaml_io.CONFIG_BUDGET)
    wrong = [one for one in loaded.problems if one.severity == "error"]
    problems += [replace(one, where=replace(one.where, path=shown)) for one in wrong]
    documents = [one for one in loaded.documents if not one.empty]
    if wrong:
        return
    if len(documents) != 1:
        what = f"a policy file is one document, and this has {len(documents)}"
        problems.append(Problem("policy-invalid", what, Where(shown, 1, 1), fix="rules: [{name: …, deny: …}]"))
        return
    written = documents[0].value
    for one in _file_schema().violations(written):
        problems.append(Problem("policy-invalid", one.what, text.where(one.pointer, one.at), got=one.got, fix=one.fix))
    if isinstance(written, dict):
        yield from _block(written, "", text, None, problems)


def _file_schema() -> Schema:
    import json

    from agent.definitions.load import bundled_schemas

    whole = json.loads((bundled_schemas() / "datakeel.schema.json").read_bytes())
    return Schema({"$schema": whole["$schema"], "$defs": whole["$defs"], "$ref": POLICY_FILE}, "policy file")


def _block(written: Any, at: str, text: Text, files: _Files | None, problems: list[Problem]) -> Iterator[Rule]:
    """The rules of a block that are right; those of the files that it names first."""
    if not isinstance(written, dict):
        return
    for number, name in enumerate(_list(written.get("files"))) if files is not None else ():
        if isinstance(name, str) and name:
            assert files is not None
            yield from files.rules(name, text.where(f"{at}/files/{number}"))
    zone, values = written.get("timezone", "UTC"), written.get("values")
    if isinstance(zone, str) and not is_zone(zone):
        place = text.where(f"{at}/timezone")
        problems.append(
            Problem(
                "policy-invalid", "no such time zone", place, got=as_text(zone), fix="write one such as Europe/Berlin"
            )
        )
        zone = "UTC"
    constants = values if isinstance(values, dict) else {}
    read = partial(_rule, zone=zone if isinstance(zone, str) else "UTC", values=constants, text=text, problems=problems)
    for number, rule in enumerate(_list(written.get("rules"))):
        made = read(rule, f"{at}/rules/{number}") if isinstance(rule, dict) else None
        if made is not None:
            yield made


def _rule(
    written: Mapping[str, Any], at: str, *, zone: str, values: Mapping[str, Any], text: Text, problems: list[Problem]
) -> Rule | None:
    name, message, fix = written.get("name"), written.get("message"), written.get("fix")
    if not isinstance(name, str):
        return None
    said = [effect for effect in Effect if effect.value in written]
    if len(said) != 1:
        told = "none of them" if not said else " and ".join(effect.value for effect in said)
        what = f"a rule says one of deny, hold and warn, and this says {told}"
        problems.append(Problem("policy-invalid", what, text.where(at), f"rule {name}", fix="keep one of them"))
        return None
    effect, pointer = said[0], f"{at}/{said[0].value}"
    expression, match = written[effect.value], written.get("match", {})
    if not isinstance(expression, str) or not isinstance(message, str) or not isinstance(match, dict):
        return None
    try:
        Condition(expression, values)
    except NotCompiled as error:
        mistake = error.mistake
        what = f"`{effect.value}` cannot be used: {mistake.what}"
        problems.append(
            Problem(
                "policy-expression",
                what,
                text.inside(pointer, mistake),
                f"rule {name}",
                got=_line(expression, mistake),
                fix=mistake.fix,
            )
        )
        return None
    words = {word: tuple(one for one in _list(match.get(word)) if isinstance(one, str)) for word in _MATCHED}
    where = text.where(f"{at}/name")
    return Rule(
        name, effect, expression, message, Match(**words), fix if isinstance(fix, str) else None, values, zone, where
    )


def _line(expression: str, mistake: Mistake) -> str:
    lines = expression.split("\n")
    return lines[min(mistake.line, len(lines)) - 1].strip()[:200]


def _repeated(rules: Sequence[Rule]) -> Iterator[Problem]:
    seen: dict[str, Rule] = {}
    for rule in rules:
        before = seen.setdefault(rule.name, rule)
        if before is not rule and rule.where is not None and before.where is not None:
            what = f"two rules of one target are called {rule.name}"
            yield Problem("policy-invalid", what, rule.where, also=(before.where,), fix="give each a name of its own")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
