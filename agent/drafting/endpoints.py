"""The calls that an OpenAPI document describes, in one shape for its versions 2.0 and 3: what goes in, what comes out.

Called by ``platform``. References to parameters, bodies and answers are followed here; schemas stay as they are, for
most of them are never looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agent.drafting.document import Document

METHODS = ("get", "post", "put", "patch", "delete")
_STEP = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.-]{0,62})\}")
_LITERAL = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})+")
_REFERENCES_MAX = 20
_PATHS_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter outside of the body; ``schema`` is what its values must be."""

    name: str
    place: str
    required: bool
    schema: Mapping[str, Any]
    description: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call. ``steps`` are those of its path, a parameter as ``{name}``; ``body`` and ``answer`` are schemas.

    ``codec`` is how the body travels, ``failures`` are the schemas of errors, ``headers`` those of the 2xx answer.
    """

    method: str
    path: str
    steps: tuple[str, ...]
    pointer: str
    words: str
    deprecated: bool
    parameters: tuple[Parameter, ...]
    body: Mapping[str, Any] | None
    codec: str
    media: str
    answer: Mapping[str, Any] | None
    statuses: frozenset[str]
    headers: frozenset[str]
    failures: tuple[Mapping[str, Any], ...]
    open: bool  # needs no credential

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"

    def asks(self, place: str) -> list[Parameter]:
        """Its parameters at ``query``, ``header`` or ``path``."""
        return [parameter for parameter in self.parameters if parameter.place == place]


def endpoints(document: Document) -> Iterator[Endpoint]:
    """All calls; a path that cannot be called safely is told and left out."""
    for path, item in list(document.value["paths"].items())[:_PATHS_MAX]:
        pointer = f"/paths/{_escaped(str(path))}"
        item = resolved(document, item)
        if str(path).startswith("x-") or not item:
            continue
        steps = _steps(document, str(path), pointer)
        if steps is None:
            continue
        shared = _list(item.get("parameters"))
        for method in METHODS:
            words = item.get(method)
            if isinstance(words, Mapping):
                yield _endpoint(document, method, str(path), steps, f"{pointer}/{method}", words, shared)


def resolved(document: Document, value: Any) -> Mapping[str, Any]:
    """A mapping behind its references; empty where there is none."""
    for _ in range(_REFERENCES_MAX):
        if not isinstance(value, Mapping):
            return {}
        reference = value.get("$ref")
        if not isinstance(reference, str):
            return value
        value = document.follow(reference)
    return {}


def _steps(document: Document, path: str, pointer: str) -> tuple[str, ...] | None:
    steps = tuple(path.split("/")[1:])
    if not path.startswith("/"):
        document.tell(pointer, "a path that does not begin with `/` is left out", got=path)
        return None
    if steps and steps[-1] == "":
        steps = steps[:-1]
    for step in steps:
        if step in (".", "..", "") or not (_STEP.fullmatch(step) or _LITERAL.fullmatch(step)):
            if "{" not in step or step.count("{") != step.count("}"):
                why = "it is empty, leaves its folder, or holds what a path may not hold"
                document.tell(pointer, "a path with such a step is left out", got=step, why=why)
            return None
    return steps


def _endpoint(
    document: Document,
    method: str,
    path: str,
    steps: tuple[str, ...],
    pointer: str,
    words: Mapping[str, Any],
    shared: list[Any],
) -> Endpoint:
    parameters: dict[tuple[str, str], Parameter] = {}
    raw = [resolved(document, one) for one in (*shared, *_list(words.get("parameters")))]
    for one in raw:
        name, place = one.get("name"), one.get("in")
        if isinstance(name, str) and place in ("query", "header", "path"):
            schema = one.get("schema") if isinstance(one.get("schema"), Mapping) else one
            parameters[name, place] = Parameter(
                name, place, one.get("required") is True, resolved(document, schema), _text(one.get("description"))
            )
    body, media = _body_of_2(document, words, raw) if document.dialect == "2.0" else _body_of_3(document, words)
    success, statuses, failures = _answers(document, words)
    security = words.get("security")
    return Endpoint(
        method.upper(),
        path,
        steps,
        pointer,
        " ".join(_text(words.get(word)) for word in ("operationId", "summary", "description"))[:400],
        words.get("deprecated") is True,
        tuple(parameters.values()),
        body,
        _codec(media),
        media,
        _schema_of(document, success),
        statuses,
        frozenset(str(name).lower() for name in _mapping(success.get("headers"))),
        tuple(schema for one in failures if (schema := _schema_of(document, one)) is not None),
        isinstance(security, list) and not any(security),
    )


def _body_of_2(
    document: Document, words: Mapping[str, Any], raw: list[Mapping[str, Any]]
) -> tuple[Mapping[str, Any] | None, str]:
    consumes = words.get("consumes", document.value.get("consumes"))
    media = next((one for one in _list(consumes) if isinstance(one, str)), "application/json")
    for one in raw:
        if one.get("in") == "body" and isinstance(one.get("schema"), Mapping):
            return one["schema"], media if "json" in media or "yaml" in media else "application/json"
    form = [one for one in raw if one.get("in") == "formData" and isinstance(one.get("name"), str)]
    if not form:
        return None, ""
    properties = {one["name"]: {**one, "in": None, "name": None, "required": None} for one in form}
    required = [one["name"] for one in form if one.get("required") is True]
    media = media if "multipart" in media else "application/x-www-form-urlencoded"
    return {"type": "object", "properties": properties, "required": required}, media


def _body_of_3(document: Document, words: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, str]:
    content = _mapping(resolved(document, words.get("requestBody")).get("content"))
    for media in sorted((str(one) for one in content), key=_rank):
        schema = _mapping(content[media]).get("schema")
        if isinstance(schema, Mapping):
            return schema, media
    return None, ""


def _rank(media: str) -> int:
    """JSON first; a patch language last, for it is no object as people write it."""
    plain = media.partition(";")[0].strip().lower()
    if "json-patch" in plain:
        return 9
    order = ("application/json", "application/merge-patch+json", "+json", "yaml", "x-www-form-urlencoded", "multipart")
    return next((place for place, word in enumerate(order) if word in plain), 8)


def _codec(media: str) -> str:
    if "yaml" in media:
        return "yaml"
    if "urlencoded" in media:
        return "form"
    return "multipart" if "multipart" in media else "json"


def _answers(
    document: Document, words: Mapping[str, Any]
) -> tuple[Mapping[str, Any], frozenset[str], list[Mapping[str, Any]]]:
    """The answer that tells success, all statuses, and the answers that tell failure."""
    answers = {str(status).upper(): one for status, one in _mapping(words.get("responses")).items()}
    good = sorted(status for status in answers if status.startswith("2") and status != "204")
    success: Mapping[str, Any] = {}
    for status in good or (["DEFAULT"] if "DEFAULT" in answers else []):
        success = resolved(document, answers[status])
        if success.get("content") or success.get("schema"):
            break
    bad = [status for status in answers if status.startswith(("4", "5")) or (status == "DEFAULT" and good)]
    return success, frozenset(answers), [resolved(document, answers[status]) for status in bad[:6]]


def _schema_of(document: Document, answer: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if isinstance(answer.get("schema"), Mapping):
        return _mapping(answer["schema"])
    content = _mapping(answer.get("content"))
    for media in sorted((str(one) for one in content), key=_rank):
        if "json" in media or media == "*/*":
            schema = _mapping(content[media]).get("schema")
            return schema if isinstance(schema, Mapping) else None
    return None


def _escaped(word: str) -> str:
    return word.replace("~", "~0").replace("/", "~1")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return " ".join(value.split())[:300] if isinstance(value, str) else ""
