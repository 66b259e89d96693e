"""``{word}`` in request lines: a path and a query with placeholders, rendered from a context.

Imported through ``definitions.expressions`` by whoever sends a request or checks a definition. Rendering never yields a
path that leaves its folder: an empty word and the segments ``.`` and ``..`` are refused, because clients and proxies
normalise them even when they are percent-encoded. It never reads a secret by itself: what the context holds is what
may appear, and the loader refuses secrets in request lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from urllib.parse import quote, unquote

WORD = r"[A-Za-z_][A-Za-z0-9_-]*"
DOTTED = re.compile(rf"{WORD}(?:\.{WORD})*")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_PATH_LITERAL = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*")
_QUERY_LITERAL = re.compile(r"(?:[A-Za-z0-9\-._~!$'()*+,;=:@/?\[\]]|%[0-9A-Fa-f]{2})*")
_DOTS = frozenset({".", ".."})


class Missing(Enum):
    """Type of :data:`MISSING`; an enumeration so that type checkers can tell it from a value."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Final = Missing.MISSING
"""A member that is not there, as opposed to one that is null: it is left out of a body."""


class ExpressionError(ValueError):
    """An expression, a placeholder or a template that cannot be used as it is written."""


class UnsafePath(ValueError):
    """The value of a word may not stand in a path: empty, missing, ``.`` or ``..``, a list or an object."""

    def __init__(self, word: str, value: Any, why: str) -> None:
        super().__init__(f"`{{{word}}}` {why}")
        self.word = word
        self.value = value


def lookup(context: Mapping[str, Any], dotted: str) -> Any:
    """The value of ``a.b.c`` in a context, MISSING where any step is absent; a null that is there is None.

    The name of a parent is ``context["workspace"]``; members of its live object (``workspace.id``) are taken from
    ``context["parents"]["workspace"]``, or from a context member that is itself named ``workspace.id``.
    """
    if dotted in context:
        return context[dotted]
    head, *rest = dotted.split(".")
    value = context.get(head, MISSING)
    if rest and not isinstance(value, Mapping):
        value = context.get("parents", {}).get(head, MISSING)
    for step in rest:
        if not isinstance(value, Mapping) or step not in value:
            return MISSING
        value = value[step]
    return value


class PathTemplate:
    """A path with an optional query: ``/resources/{with.type}/{name}?workspace={workspace}``.

    ``words`` are the dotted words in the order written; ``path_words`` and ``query_words`` tell where they stand.
    """

    __slots__ = ("_path", "_query", "path_words", "query_words", "source", "words")

    def __init__(self, source: str) -> None:
        """Raises :class:`ExpressionError` when the line is not a path below the origin."""
        _refuse_other_origins(source)
        path, _, query = source.partition("?")
        self.source = source
        self._path = tuple(_split(segment, _PATH_LITERAL, "path") for segment in path.split("/"))
        self._query = tuple(_parameter(pair) for pair in query.split("&")) if query else ()
        self.path_words = tuple(word for parts in self._path for word in parts[1::2])
        self.query_words = tuple(word for _, parts in self._query for word in parts[1::2])
        self.words = self.path_words + self.query_words

    def render(self, context: Mapping[str, Any]) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The percent-encoded path, and the query pairs not yet encoded. Raises :class:`UnsafePath`.

        A query word that is null or missing drops its parameter; a list repeats it.
        """
        segments = []
        for parts in self._path:
            if len(parts) == 1:
                segments.append(parts[0])
                continue
            segment = "".join(
                _path_word(part, lookup(context, part)) if index % 2 else part for index, part in enumerate(parts)
            )
            if unquote(segment) in _DOTS:
                raise UnsafePath(parts[1], segment, "makes a segment that leads out of its folder")
            segments.append(segment)
        pairs = [(name, text) for name, parts in self._query for text in _parameter_texts(parts, context)]
        return "/".join(segments), tuple(pairs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PathTemplate) and other.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)

    def __repr__(self) -> str:
        return f"PathTemplate({self.source!r})"


def text_of(value: Any) -> str | None:
    """A scalar as it stands in a URL, a header or joined text; None when it is not a scalar."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | Decimal):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    return None


def _refuse_other_origins(source: str) -> None:
    path = source.partition("?")[0]
    if "{{" in source or "}}" in source:
        raise ExpressionError("this is no text template: a placeholder is `{word}`, with one pair of braces")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", path) or path.startswith("//"):
        raise ExpressionError("a request line is a path under the target's server, never a URL")
    if not path.startswith("/"):
        raise ExpressionError("a path starts with `/`")
    if "//" in path:
        raise ExpressionError("a path has no empty segment (`//`)")
    if "\\" in source or "#" in source:
        raise ExpressionError("a request line holds neither `\\` nor `#`")
    if any(unquote(segment) in _DOTS for segment in path.split("/")):
        raise ExpressionError("a path has no segment `.` or `..`")


def _split(text: str, allowed: re.Pattern[str], where: str) -> tuple[str, ...]:
    """Literals at even places, words at odd ones."""
    parts = _PLACEHOLDER.split(text)
    for index, part in enumerate(parts):
        if index % 2 and not DOTTED.fullmatch(part):
            raise ExpressionError(f"`{{{part}}}` is not a word: write `{{name}}`, or a member of it as `{{parent.id}}`")
        if not index % 2 and not allowed.fullmatch(part):
            bad = next(char for char in part if char == "%" or not allowed.fullmatch(char))
            fix = "close the brace" if bad in "{}" else "percent-encode it"
            raise ExpressionError(f"{bad!r} may not stand in the {where} of a request line: {fix}")
    return tuple(parts)


def _parameter(pair: str) -> tuple[str, tuple[str, ...]]:
    name, equals, text = pair.partition("=")
    if not name or "{" in name or not _QUERY_LITERAL.fullmatch(name):
        raise ExpressionError(f"`{pair}` is not a query parameter: write `name=value` or `name={{word}}`")
    if not equals:
        raise ExpressionError(f"the query parameter `{name}` has no value: write `{name}=`")
    parts = _split(text, _QUERY_LITERAL, "query")
    return unquote(name), tuple(part if index % 2 else unquote(part) for index, part in enumerate(parts))


def _path_word(word: str, value: Any) -> str:
    if value is MISSING or value is None:
        raise UnsafePath(word, value, "has no value, and a path needs one")
    text = text_of(value)
    if text is None:
        raise UnsafePath(word, value, "is a list or an object, and a path needs a name")
    if not text:
        raise UnsafePath(word, value, "is empty: the call would go to the collection")
    if any(step in _DOTS for step in re.split(r"[/\\]", text)):
        raise UnsafePath(word, value, "leads out of its folder")
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise UnsafePath(word, value, "is not text that UTF-8 can carry") from None


def _parameter_texts(parts: tuple[str, ...], context: Mapping[str, Any]) -> list[str]:
    if len(parts) == 1:
        return [parts[0]]
    if len(parts) == 3 and not parts[0] and not parts[2]:
        value = lookup(context, parts[1])
        if value is MISSING or value is None:
            return []
        return [_query_word(parts[1], element) for element in (value if isinstance(value, list | tuple) else [value])]
    values = [lookup(context, word) for word in parts[1::2]]
    if any(value is MISSING or value is None for value in values):
        return []
    texts = iter([_query_word(word, value) for word, value in zip(parts[1::2], values, strict=True)])
    return ["".join(next(texts) if index % 2 else part for index, part in enumerate(parts))]


def _query_word(word: str, value: Any) -> str:
    text = text_of(value)
    if text is None:
        raise UnsafePath(word, value, "is not a scalar, and a query parameter needs one")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnsafePath(word, value, "is not text that UTF-8 can carry") from None
    return text
