"""What definitions say with placeholders -> query, header fields, members of a body. Pure; used by ``requests``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from agent.definitions.expressions import MISSING, Template

Pairs = tuple[tuple[str, str], ...]
Position = tuple[tuple[str, int | str], ...]
"""Where a page is: the names of its parameters with their values."""

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\x20-\x7e\x80-\xff]*")


class Unbuildable(ValueError):
    """A header or body that a definition describes cannot be made from this context."""


def templated(headers: Mapping[str, Template]) -> tuple[tuple[str, Template], ...]:
    """The headers that a context changes; the others are part of what is fixed."""
    return tuple((name, template) for name, template in headers.items() if template.words)


def encoded(pairs: Pairs) -> str:
    return "&".join(f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in pairs)


def asked_at(target: str, position: Position) -> str:
    """A path and query that ask for the page at a position, which replaces what the query itself says about it."""
    path, _, rest = target.partition("?")
    query = tuple((name, str(value)) for name, value in position)
    names = {quote(name, safe="") for name, _ in query}
    others = [pair for pair in rest.split("&") if pair and pair.partition("=")[0] not in names]
    return f"{path}?{'&'.join([*others, encoded(query)])}"


def rendered(templates: Mapping[str, Template], context: Mapping[str, Any]) -> dict[str, Any]:
    members = {name: template.render(context) for name, template in templates.items()}
    return {name: value for name, value in members.items() if value is not MISSING}


def rendered_query(templates: Mapping[str, Template], context: Mapping[str, Any]) -> Pairs:
    return tuple((name, str(value)) for name, value in rendered(templates, context).items() if value is not None)


def own_body(template: Template | None, context: Mapping[str, Any], otherwise: Any = None) -> Any:
    """What an operation says that its body is, instead of what it would be."""
    return otherwise if template is None else template.render(context)


def header_field(name: str, value: Any) -> tuple[bytes, bytes]:
    text = value if isinstance(value, str) else str(value)
    if not _NAME.fullmatch(name) or not _VALUE.fullmatch(text):
        raise Unbuildable(f"the header {name!r} would hold characters that no header may hold")
    return name.lower().encode("ascii"), text.encode("latin-1")


def fits(body: bytes, most: int | None) -> None:
    """The last word on ``bodyMax``: a check of manifests knows neither files nor what is kept of the live object."""
    if most is not None and len(body) > most:
        raise Unbuildable(f"its body of {len(body):,} bytes is more than the {most:,} that the platform takes")


def carry(pointer: str, live: Mapping[str, Any] | None, body: Any) -> None:
    """Copy what the server wants to see again, such as a revision, from the last read into the body."""
    tokens = [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]
    source: Any = live
    for token in tokens:
        if not isinstance(source, Mapping) or token not in source:
            return
        source = source[token]
    for token in tokens[:-1]:
        body[token] = body = dict(body.get(token) or {})
    body[tokens[-1]] = source
