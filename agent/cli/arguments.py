"""Words of the command line as typed values: ``--arg name=value`` by its declaration, ``Kind/scope/name`` as a key.

Used by ``asking`` and its neighbours. No I/O; every mistake is a :class:`UsageError` that names what is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from agent.definitions.platform import Kind
from agent.errors import UsageError
from agent.json_schema import Schema
from agent.live import strict_json
from agent.model.identity import Key
from agent.model.selector import Selector
from agent.report.escape import clean
from agent.validate.findings import nearest, one_of

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")
# What the two options of `metrics` are called in definitions.
_RESOLUTION = "resolution"
_LENGTHS = ("duration", "period")


def ambiguous(selector: Selector, keys: Iterable[Key]) -> UsageError:
    """One object was asked for, and the words fit these."""
    names = ", ".join(sorted(clean(key.path, 100) for key in keys)[:10])
    return UsageError(f"{clean(selector.text, 120)} is ambiguous: {names}", fix="write Kind/scope/name, or --target")


def pairs_of(words: Iterable[str], flag: str) -> dict[str, str]:
    """``name=value`` words; each name once."""
    pairs: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not name or not equals:
            raise UsageError(f"{flag} {clean(word, 60)}: not a pair", fix=f"write {flag} name=value")
        if name in pairs:
            raise UsageError(f"{flag} {clean(name, 60)} stands twice")
        pairs[name] = value
    return pairs


def typed(given: Mapping[str, str], declared: Mapping[str, Any], what: str) -> dict[str, Any]:
    """The arguments of a call, in the types that its definition declares."""
    values = {}
    for name, text in given.items():
        schema = declared.get(name)
        if schema is None:
            fix = nearest(name, declared) or (one_of(declared) if declared else None)
            raise UsageError(f"{what} takes no argument `{clean(name, 60)}`", fix=fix)
        values[name] = _value(text, schema, f"argument `{name}` of {what}")
    checked = Schema({"type": "object", "properties": dict(declared)}, "args")
    if not checked.is_valid(values):
        fault = checked.violations(values)[0]
        raise UsageError(f"{what}: {fault.what}", got=fault.got, fix=fault.fix)
    return values


def key_of(target: str, kind: Kind, names: Sequence[str], where: Mapping[str, str], defaults: Mapping[str, str]) -> Key:
    """The key that ``names`` (scope names in their order, then the name), ``--in`` and the target's defaults make."""
    *values, name = names
    words = [word.word for word in kind.scope]
    unknown = [word for word in where if word not in words]
    if unknown:
        fix = f"its words are {', '.join(words)}" if words else "it stands in no scope"
        raise UsageError(f"{kind.name} has no scope word `{clean(unknown[0], 60)}`", fix=fix)
    known = dict(where)
    free = [word for word in words if word not in known]
    needed = [word.word for word in kind.scope if not word.optional and word.word in free]
    undefaulted = [word for word in needed if word not in defaults]
    takers = next((each for each in (needed, undefaulted) if len(each) == len(values)), free)
    if len(values) > len(takers):
        shape = "/".join([kind.name, *(word.upper() for word in words), "NAME"])
        raise UsageError(f"too many names for a {kind.name}", fix=f"write {shape}")
    known |= dict(zip(takers, values, strict=False))
    known |= {word: defaults[word] for word in needed if word not in known and word in defaults}
    missing = [word for word in needed if word not in known]
    if missing:
        raise UsageError(
            f"the {missing[0]} of {kind.name}/{clean(name, 60)} is not known", fix=f"--in {missing[0]}=NAME"
        )
    return Key(target, kind.name, tuple((word, known[word]) for word in words if word in known), name)


def seconds_of(text: str, flag: str) -> int:
    """``90s``, ``30m``, ``2h``, ``7d`` as seconds."""
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if found is None or not int(found[1]):
        raise UsageError(f"{flag} {clean(text, 40)}: not a duration", fix="write 30m, 2h or 7d")
    return int(found[1]) * _UNITS[found[2]]


def metric_words(declared: Mapping[str, Any], period: str | None, resolution: str | None, now: float) -> dict[str, str]:
    """What ``--period`` and ``--resolution`` mean to a definition that names its arguments as most APIs do.

    ``duration`` or ``period`` and ``resolution`` in seconds, ``start`` and ``end`` as epoch seconds.
    """
    words: dict[str, str] = {}
    seconds = seconds_of(period or "1h", "--period")
    length = next((name for name in _LENGTHS if name in declared), None)
    if length is not None:
        words[length] = str(seconds)
    if "start" in declared:
        words["start"] = str(int(now) - seconds)
    if period is not None and not words:
        raise UsageError("--period: these metrics take no period")
    if "end" in declared:
        words["end"] = str(int(now))
    if resolution is not None:
        if _RESOLUTION not in declared:
            raise UsageError("--resolution: these metrics take no resolution")
        words[_RESOLUTION] = str(
            seconds_of(resolution if resolution[-1:] in _UNITS else f"{resolution}s", "--resolution")
        )
    elif _RESOLUTION in declared:
        words[_RESOLUTION] = str(max(1, seconds // 60))
    return words


def _value(text: str, schema: Mapping[str, Any], what: str) -> Any:
    types = schema.get("type")
    kinds = frozenset([types] if isinstance(types, str) else types or ())
    value: Any = text
    if kinds & {"integer", "number"} and _NUMBER.fullmatch(text):
        value = Decimal(text) if "." in text else int(text)
    elif "boolean" in kinds and text in ("true", "false"):
        value = text == "true"
    elif kinds & {"array", "object"}:
        try:
            value = strict_json.loads(text.encode())
        except ValueError as error:
            raise UsageError(f"{what} is not JSON: {error}") from None
    return value
