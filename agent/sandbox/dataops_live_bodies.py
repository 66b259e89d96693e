"""Parameters of a request to the emulated DataOps.live: from the query, a JSON body or a form with brackets.

The page allows JSON and forms for POST and PUT, JSON being the default; its curl example sends multipart. Called by
:mod:`agent.sandbox.dataops_live`. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from agent.sandbox.dataops_live_fields import error
from agent.sandbox.forms import read_multipart
from agent.sandbox.messages import Refusal, Request

_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_NAMED = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
BODY_MAX = 1 << 20


def read_parameters(request: Request) -> dict[str, Any]:
    """Query and body together; the body wins. Refusal for what cannot be read."""
    sent = nested(request.query)
    if not request.body:
        return sent
    if len(request.body) > BODY_MAX:
        raise Refusal(413, "error", "413 Request Entity Too Large")
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if content_type in ("", "application/json"):
            body = json.loads(request.body, parse_constant=_no_constant)
        elif content_type == "application/x-www-form-urlencoded":
            body = nested(parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=1000))
        elif content_type == "multipart/form-data":
            body = nested((part.name, part.content.decode()) for part in read_multipart(request.body))
        else:
            raise Refusal(415, "error", f"The provided content-type '{content_type}' is not supported.")
    except (ValueError, RecursionError) as wrong:
        raise error("The body cannot be read") from wrong
    if not isinstance(body, dict):
        raise error("The body is no object")
    return {**sent, **body}


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`a[b]=1` is a member of a mapping, `a[]=1` an element of a list; what does not fit together keeps the last."""
    fields: dict[str, Any] = {}
    for name, value in pairs:
        matched = _NAMED.fullmatch(name)
        steps = [name] if matched is None else [matched[1], *_BRACKETS.findall(matched[2])]
        _place(fields, steps, value)
    return fields


def _place(fields: dict[str, Any], steps: list[str], value: str) -> None:
    first, *rest = steps
    if not rest:
        fields[first] = value
    elif rest == [""]:
        present = fields.get(first)
        fields[first] = [*present, value] if isinstance(present, list) else [value]
    else:
        inner = fields.get(first)
        if not isinstance(inner, dict):
            inner = fields[first] = {}
        _place(inner, rest, value)


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")
