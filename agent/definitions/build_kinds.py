"""From the parsed words of a kind, after ``like``, to its typed form.

Called by ``load.py``. Pure translation with the defaults of the vocabulary; what does not fit together is reported by
the checks, and a kind is only handed out when nothing was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agent.definitions.build_calls import CallBuilder, action, logs, metrics, upload, values
from agent.definitions.expressions import Expression, Template
from agent.definitions.expressions.paths import text_of
from agent.definitions.places import Leaf, Words, get
from agent.definitions.platform import FieldRule, Kind, Mark, Ref, ScopeWord
from agent.definitions.shapes import Request
from agent.json_schema import Schema
from agent.model.canonical import canonical, from_json

_ID = Expression("id")
_MARK_WORD = re.compile(r"(?<!\$)\$\{\s*([A-Za-z_]+)\s*\}")
_MARK_GROUPS = {"uid": "[a-z0-9]{12}", "content": "[a-z0-9]{8}", "target": ".+?", "name": ".+?"}
MARK_WORDS = tuple(_MARK_GROUPS)
_WITH = re.compile(r"\{with\.([^{}]+)\}")


def build_kind(
    name: str, words: Words, calls: CallBuilder, *, schema: Mapping[str, Any] | None, schema_path: str
) -> Kind:
    """The typed kind; every word has been checked."""
    constants = values(get(words, "with", {}))
    fields = get(words, "fields", {})
    line = get(words, "logs")
    series = get(words, "metrics")
    return Kind(
        name=name,
        with_=constants,
        scope=scope_words(words),
        headers=values(get(words, "headers", {})),
        key=get(words, "key", _ID),
        unique=get(words, "unique", True),
        id=get(words, "id"),
        mark=_mark(get(words, "mark"), fields, schema, schema_path),
        list=calls.operation("list", words.get("list")),
        get=calls.operation("get", words.get("get")),
        create=calls.operation("create", words.get("create")),
        apply=calls.operation("apply", words.get("apply")),
        update=calls.operation("update", words.get("update")),
        delete=calls.operation("delete", words.get("delete")),
        ready=get(words, "ready"),
        failed=get(words, "failed"),
        gone=get(words, "gone"),
        settle_seconds=get(words, "settle", 5.0),
        replace=get(words, "replace", "never"),
        rename=get(words, "rename"),
        fields=tuple(
            _field(resolved(pointer, constants), leaf, constants)
            for pointer, leaf in fields.items()
            if isinstance(leaf.value, dict)
        ),
        actions={
            key: action(key, leaf.value)
            for key, leaf in get(words, "actions", {}).items()
            if isinstance(leaf.value, dict)
        },
        logs=logs(line) if line is not None else None,
        metrics=metrics(series) if series is not None else None,
        unverified=get(words, "unverified"),
        general=get(words, "general"),
        schema=schema,
        schema_path=schema_path,
    )


def scope_words(words: Words) -> tuple[ScopeWord, ...]:
    """The words of ``metadata`` that name parents, in the order written."""
    found = []
    for word, value in values(get(words, "scope", {})).items():
        if isinstance(value, dict):
            found.append(ScopeWord(word, get(value, "kind"), get(value, "optional", False)))
        else:
            found.append(ScopeWord(word, value))
    return tuple(found)


def resolved(pointer: str, constants: Mapping[str, Any]) -> str:
    """A field's pointer with the constants of ``with`` put in; words of the scope stay."""

    def constant(match: re.Match[str]) -> str:
        if match[1] not in constants:
            return match[0]
        text = text_of(constants[match[1]]) or ""
        return text.replace("~", "~0").replace("/", "~1")

    return _WITH.sub(constant, pointer) if "{" in pointer else pointer


def canonical_key(text: str) -> str:
    """The canonical JSON of a key of ``values`` or ``via``: ``true`` and ``"true"`` differ, a bare word is text."""
    try:
        value = from_json(text)
    except (ValueError, RecursionError):
        value = text
    return canonical(value).decode()


def mark_pattern(text: str) -> str:
    """The regular expression that reads a mark back: ``as`` with a named group for each of its words."""
    pattern = r"\A"
    seen: set[str] = set()
    for index, part in enumerate(_MARK_WORD.split(text)):
        if index % 2 == 0:
            pattern += re.escape(part.replace("$${", "${"))
        elif part in seen:
            pattern += f"(?P={part})"
        else:
            seen.add(part)
            pattern += f"(?P<{part}>{_MARK_GROUPS[part]})"
    return pattern + r"\Z"


def _mark(words: Words | None, fields: Words, schema: Mapping[str, Any] | None, schema_path: str) -> Mark | None:
    if words is None:
        return None
    pointer: str = get(words, "in", "/mark")
    text: Template = get(words, "as", Template("${uid}"))
    if not set(text.words) <= set(MARK_WORDS):
        return None
    return Mark(
        pointer=pointer,
        text=text,
        read=get(words, "read", pointer),
        pattern=mark_pattern(text.value),
        in_list=_is_list(pointer, fields.get(pointer), schema, schema_path),
        is_run="content" in text.words,
    )


def _is_list(pointer: str, field: Leaf | None, schema: Mapping[str, Any] | None, schema_path: str) -> bool:
    if field is not None and isinstance(field.value, dict) and {"list", "own"} & set(field.value):
        return True
    types = Schema(schema, schema_path).type_at(pointer) if schema is not None else None
    return bool(types) and "array" in (types or ())


def _field(pointer: str, leaf: Leaf, constants: Mapping[str, Any]) -> FieldRule:
    words: Words = leaf.value
    read, write = get(words, "read"), get(words, "write")
    uploaded = get(words, "upload")
    translated, via = get(words, "values"), get(words, "via")
    return FieldRule(
        pointer=pointer,
        read=None if read is None else resolved(read, constants),
        write=None if write is None else resolved(write, constants),
        read_only=get(words, "readOnly", False),
        write_only=get(words, "writeOnly", False),
        secret=get(words, "secret"),
        mask=get(words, "mask"),
        immutable=get(words, "immutable", False),
        list=_list_rule(get(words, "list")),
        own=get(words, "own", "all"),
        compare=get(words, "compare"),
        values=None if translated is None else {canonical_key(key): value for key, value in translated.items()},
        encode=get(words, "encode"),
        ref=_ref(get(words, "ref")),
        upload=None if uploaded is None else upload(uploaded),
        via=None if via is None else {canonical_key(key): _line(value) for key, value in values(via).items()},
        default=get(words, "default"),
        has_default=get(words, "default") is not None,
    )


def _list_rule(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(leaf.value for leaf in get(value, "key", []))
    return value


def _ref(value: str | None) -> Ref | None:
    if value is None:
        return None
    kind, _, member = value.partition(".")
    return Ref(kind, member or None)


def _line(request: Request) -> tuple[str, Any]:
    return request.method, request.template
