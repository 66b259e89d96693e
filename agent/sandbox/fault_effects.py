"""What a fault does to a request before the platform sees it, and to the answer after.

Called by the front door with the rules that :mod:`agent.sandbox.faults` chose. Pure: waiting and losing the connection
are left to the front door, which reads them from the :class:`Answer`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agent.sandbox.faults import Rule
from agent.sandbox.messages import Answer, Platform, Request, json_bytes

ON_REQUESTS = frozenset({"stale", "dropQuery", "shift"})
ON_ANSWERS = frozenset({"drip", "cut", "truncate", "duplicate", "set", "add", "remove", "replace"})


def altered_request(rule: Rule, request: Request, platform: Platform) -> Request:
    if rule.do == "stale":
        return replace(request, lag=max(request.lag, rule.seconds))
    if rule.do == "dropQuery":
        return replace(request, query=tuple(pair for pair in request.query if pair[0] not in rule.names))
    return replace(request, query=tuple(_shifted(pair, rule.count, platform.position) for pair in request.query))


def replaced_answer(rule: Rule, request: Request, platform: Platform) -> Answer:
    """The answer that stands in for the platform's own."""
    headers = tuple(rule.headers.items())
    if rule.body is None:
        answer = platform.error(rule.status, request, seconds=int(rule.seconds) or 60)
        return replace(answer, headers=answer.headers + headers)
    body = rule.body.encode() if isinstance(rule.body, str) else json_bytes(rule.body)
    return Answer(status=rule.status, body=body, headers=headers, content_type=rule.content_type)


def altered_answer(rule: Rule, answer: Answer, platform: Platform) -> Answer:
    """The answer with the fault in it. A stream, and an answer without the place meant, stay as they are."""
    if answer.lines is not None:
        return answer
    if rule.do == "cut":
        return replace(answer, cut_at=int(len(answer.body) * rule.share))
    if rule.do == "drip":
        return replace(answer, drip=(max(1, rule.count), rule.seconds))
    if rule.do == "replace":
        return replace(answer, body=answer.body.replace(rule.old.encode(), rule.new.encode(), 1))
    if rule.at == "@total" and not platform.total:
        return answer
    try:
        document = json.loads(answer.body)
    except ValueError:
        return answer
    rows = _rows_of(document, platform)
    at = {"@rows": rows, "@total": platform.total}.get(rule.at, rule.at)
    changed = _changed(rule, document, rows if rule.do in ("truncate", "duplicate") else at)
    return answer if changed is _ABSENT else replace(answer, body=json_bytes(changed))


_ABSENT = object()


def _changed(rule: Rule, document: Any, at: str) -> Any:
    """The document with the member at the pointer changed, or `_ABSENT` when there is no such place."""
    if at == "":
        return _new_value(rule, document)
    *way, last = [step.replace("~1", "/").replace("~0", "~") for step in at.split("/")[1:]]
    place = document
    for step in way:
        place = place.get(step, _ABSENT) if isinstance(place, Mapping) else _ABSENT
    if not isinstance(place, dict) or last not in place:
        return _ABSENT
    value = _new_value(rule, place[last])
    if value is _ABSENT:
        del place[last]
    else:
        place[last] = value
    return document


def _rows_of(document: Any, platform: Platform) -> str:
    """Where the rows of this answer are: a bare list is all rows, else the first of the platform's places it has."""
    if isinstance(document, list):
        return ""
    places = platform.rows.split()
    found = (place for place in places if _member(document, place) is not _ABSENT)
    return next(found, places[0] if places else "")


def _member(document: Any, at: str) -> Any:
    for step in at.split("/")[1:]:
        document = document.get(step, _ABSENT) if isinstance(document, Mapping) else _ABSENT
    return document


def _new_value(rule: Rule, value: Any) -> Any:
    if rule.do == "set":
        return rule.value
    if rule.do == "remove":
        return _ABSENT
    if rule.do == "add":
        return value + rule.count if isinstance(value, int) else value
    if not isinstance(value, list):
        return value
    return value[: rule.count] if rule.do == "truncate" else [*value, *value[:1]]


def _shifted(pair: tuple[str, str], count: int, position: str) -> tuple[str, str]:
    """A later page that starts `count` rows further, as after deletes on earlier pages."""
    name, value = pair
    if name != position or not value.isdecimal() or value == "0":
        return pair
    return name, str(int(value) + count)
