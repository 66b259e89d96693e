"""Both sides in one shape: live objects moved, decoded and masked into the form in which manifests are written.

Called by ``compare`` and ``compose``. Never looks at defaults of ours: what a manifest does not write has no opinion.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from agent import yaml_io
from agent.model.canonical import canonical
from agent.model.secret_names import REFERENCE, is_reference, replaced
from agent.plan.rules import Move, Place, RuleBook, pattern_of

FINGERPRINT = "$fingerprint"
HIDDEN = "(secret)"
_ABSENT = object()
_EMPTY: tuple[Any, ...] = (None, "", [], {})

Fingerprint = Callable[[Any], str]


def live_spec(book: RuleBook, live: Mapping[str, Any]) -> dict[str, Any]:
    """The live object in the shape of ``spec``: members moved by ``read``, decoded by ``encode``, named by ``values``.

    Without a rule for the top level, members stand where the manifest writes them. A more specific rule overrides what
    a ``*`` brought, also by its absence.
    """
    spec: dict[str, Any] = {} if any(move.spec == ("*",) for move in book.reads) else dict(live)
    for move in book.reads:
        _move(move, live, spec)
    for place, rule in book.with_word("encode", "values"):
        if rule.encode is not None:
            rewrite(spec, place, partial(decode, form=rule.encode))
        if rule.values is not None:
            back = {canonical(wire).decode(): json.loads(written) for written, wire in rule.values.items()}
            rewrite(spec, place, partial(_translated, back))
    return spec


def body_of(book: RuleBook, spec: Mapping[str, Any]) -> dict[str, Any]:
    """A spec as the platform wants it in a write: ``values`` translated, ``encode`` applied, moved by ``write``."""
    body: dict[str, Any] = _copied(dict(spec))
    for place, rule in book.with_word("encode", "values"):
        if rule.values is not None:
            rewrite(body, place, partial(_translated, rule.values))
        if rule.encode is not None:
            rewrite(body, place, partial(encode, form=rule.encode))
    for move in book.writes:
        value = _taken(body, move.spec)
        if value is not _ABSENT:
            _put(body, move.other, value)
    return body


def fingerprinted(book: RuleBook, spec: Any, fingerprint: Fingerprint) -> Any:
    """The same with each secret leaf as ``{"$fingerprint": …}``: comparable, storable, never the value.

    A secret is what the definition calls so, and what its name gives away (``model/secret_names``) unless the
    definition knows better. What holds no secret is not copied: nobody changes a spec in place.

    A ``{secretRef: name}`` becomes the fingerprint of what it refers to; ``fingerprint`` is handed the leaf as written.
    A masked answer stays as it is: it says nothing about the value.
    """

    def hidden(place: Place, leaf: Any) -> Any:
        plain = book.at(pattern_of(place)).tells_plain and not is_reference(leaf)
        return leaf if plain else {FINGERPRINT: fingerprint(leaf)}

    return replaced(_declared(book, spec, fingerprint, ()), hidden)


def _declared(book: RuleBook, spec: Any, fingerprint: Fingerprint, place: Place) -> Any:
    if not book.may_hold_secrets(place):
        return spec
    rule = book.at(place)
    if rule.secret and not (isinstance(spec, dict) and REFERENCE not in spec) and not isinstance(spec, list):
        masked = rule.mask is not None and isinstance(spec, str) and re.search(rule.mask, spec) is not None
        return spec if spec is None or masked or is_fingerprint(spec) else {FINGERPRINT: fingerprint(spec)}
    if isinstance(spec, dict):
        return {name: _declared(book, value, fingerprint, (*place, name)) for name, value in spec.items()}
    if isinstance(spec, list):
        return [_declared(book, value, fingerprint, (*place, "*")) for value in spec]
    return spec


def is_fingerprint(value: object) -> bool:
    return isinstance(value, dict) and FINGERPRINT in value


def public(value: Any) -> Any:
    """What may be shown: every fingerprint becomes ``(secret)``."""
    if is_fingerprint(value):
        return HIDDEN
    if isinstance(value, dict):
        return {name: public(member) for name, member in value.items()}
    if isinstance(value, list):
        return [public(member) for member in value]
    return value


def to_type(live: Any, types: frozenset[str] | None) -> Any:
    """A live scalar brought to the type that the schema declares; never guessed from the look of the text.

    ``"3650"`` is 3650 where an integer is declared and no string is; ``3650`` is ``"3650"`` where only a string is.
    """
    if types is None:
        return live
    if isinstance(live, str) and "string" not in types:
        if types & {"integer", "number"}:
            try:
                number = Decimal(live)
            except InvalidOperation:
                return live
            return int(number) if number == number.to_integral_value() else number
        if "boolean" in types and live in ("true", "false"):
            return live == "true"
    if isinstance(live, int | Decimal) and types == {"string"}:
        return str(live).lower() if isinstance(live, bool) else str(live)
    return live


def same_scalar(desired: Any, live: Any, word: str | None) -> bool:
    """Equal under the field's ``compare`` word; ``true`` is never 1."""
    if isinstance(desired, bool) or isinstance(live, bool):
        return desired is live
    if desired == live:
        return True
    if word is None or word == "exact":
        return False
    same = _COMPARE.get(word)
    return same is not None and same(desired, live)


def encode(value: Any, form: str) -> Any:
    """A written value in the form that the wire wants."""
    if form == "base64" and isinstance(value, str):
        return base64.b64encode(value.encode()).decode()
    if form == "json" and not isinstance(value, str):
        return canonical(value).decode()
    if form == "yaml" and not isinstance(value, str):
        return yaml_io.dump(value)
    if form == "lines" and isinstance(value, list):
        return "\n".join(str(line) for line in value)
    if form == "env" and isinstance(value, dict):
        return "\n".join(f"{name}={member}" for name, member in value.items())
    return value


def decode(value: Any, form: str) -> Any:
    """The inverse of :func:`encode`; a value that comes back decoded already is taken as it is."""
    if not isinstance(value, str):
        return value
    if form == "base64":
        try:
            return base64.b64decode("".join(value.split()), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return value
    if form == "json":
        try:
            return json.loads(value, parse_float=Decimal)
        except ValueError:
            return value
    if form == "yaml":
        loaded = yaml_io.load(value.encode(), yaml_io.REPLY_BUDGET)
        return loaded.documents[0].value if len(loaded.documents) == 1 and not loaded.problems else value
    if form == "lines":
        return value.splitlines()
    if form == "env":
        return dict(line.partition("=")[::2] for line in value.splitlines() if line)
    return value


def _translated(names: Mapping[str, Any], value: Any) -> Any:
    """The other name of a value; names are canonical JSON, so that ``true`` and ``"true"`` stay apart."""
    return names.get(canonical(value).decode(), value)


def _tail(value: Any) -> Any:
    return value.rstrip("/").rsplit("/", 1)[-1] if isinstance(value, str) else value


def _number(value: Any) -> Any:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return value


_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600), "d": Decimal(86400)}


def _seconds(value: Any) -> Any:
    if isinstance(value, int | Decimal):
        return Decimal(value)
    parts = _DURATION.findall(str(value))
    if not parts or "".join(number + unit for number, unit in parts) != str(value):
        return value
    return sum((Decimal(number) * _SECONDS[unit] for number, unit in parts), Decimal(0))


def _moment(value: Any) -> Any:
    from datetime import datetime

    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except ValueError:
        return value


_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "case": lambda a, b: isinstance(a, str) and isinstance(b, str) and a.casefold() == b.casefold(),
    "space": lambda a, b: isinstance(a, str) and isinstance(b, str) and a.split() == b.split(),
    "number": lambda a, b: bool(_number(a) == _number(b)),
    "duration": lambda a, b: bool(_seconds(a) == _seconds(b)),
    "time": lambda a, b: bool(_moment(a) == _moment(b)),
    "tail": lambda a, b: bool(_tail(a) == _tail(b)),
    "empty": lambda a, b: a in _EMPTY and b in _EMPTY,
}


def _move(move: Move, live: Mapping[str, Any], spec: dict[str, Any]) -> None:
    if move.spec[-1:] == ("*",) and move.other[-1:] == ("*",):
        parent = _at(live, move.other[:-1])
        if isinstance(parent, Mapping):
            for name, value in parent.items():
                _put(spec, (*move.spec[:-1], name), value)
        return
    value = _at(live, move.other)
    if value is _ABSENT:
        _taken(spec, move.spec)
    else:
        _put(spec, move.spec, value)


def _at(value: Any, place: Place) -> Any:
    for token in place:
        if isinstance(value, Mapping) and token in value:
            value = value[token]
        elif isinstance(value, list) and token.isdigit() and int(token) < len(value):
            value = value[int(token)]
        else:
            return _ABSENT
    return value


def _put(body: dict[str, Any], place: Place, value: Any) -> None:
    for token in place[:-1]:
        inner = body.get(token)
        body[token] = inner = dict(inner) if isinstance(inner, Mapping) else {}
        body = inner
    body[place[-1]] = value


def _taken(body: dict[str, Any], place: Place) -> Any:
    """Remove and return the member at ``place``."""
    for token in place[:-1]:
        inner = body.get(token)
        if not isinstance(inner, Mapping):
            return _ABSENT
        body[token] = body = dict(inner)
    return body.pop(place[-1], _ABSENT)


def rewrite(value: Any, place: Place, change: Callable[[Any], Any]) -> None:
    """Apply ``change`` to each leaf that the pattern reaches, in place; containers on the way are copied."""
    step, rest = place[0], place[1:]
    if isinstance(value, dict):
        names = list(value) if step == "*" else [step] if step in value else []
        for name in names:
            if rest:
                value[name] = _copied(value[name])
                rewrite(value[name], rest, change)
            else:
                value[name] = change(value[name])
    elif isinstance(value, list) and step == "*":
        for index, member in enumerate(value):
            if rest:
                value[index] = _copied(member)
                rewrite(value[index], rest, change)
            else:
                value[index] = change(member)


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, list) else value
