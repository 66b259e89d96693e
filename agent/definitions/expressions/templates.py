"""``${…}`` in bodies, headers, marks and credentials: a structure of values, rendered from a context.

Nothing is rendered to text and parsed again: a scalar that is wholly ``${expr}`` takes the typed value, so that the
text ``"478"`` never becomes a number on its way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent.definitions.expressions.paths import DOTTED, MISSING, ExpressionError, lookup, text_of
from agent.definitions.expressions.select import Expression
from agent.model.canonical import to_json


class Template:
    """A structure whose scalars may hold ``${expr}``: typed when it is the whole scalar, joined as text otherwise.

    A plain dotted name goes through :func:`lookup`, which tells missing (the member is left out) from null (null is
    kept); anything else is JMESPath over the context. ``$${`` is a literal ``${``. ``words`` are the dotted names and,
    of JMESPath, the first identifiers.
    """

    __slots__ = ("_parts", "value", "words")

    def __init__(self, value: Any) -> None:
        self.value = value
        self._parts = _prepare(value)
        self.words: tuple[str, ...] = tuple(dict.fromkeys(_words_of(self._parts)))

    def render(self, context: Mapping[str, Any]) -> Any:
        """The value for a context; MISSING when the whole of it is missing. Raises :class:`ExpressionError`."""
        return _render(self._parts, context)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and other.value == self.value

    def __hash__(self) -> int:
        return hash(repr(self.value))

    def __repr__(self) -> str:
        return f"Template({self.value!r})"


class _Scalar(tuple[Any, ...]):
    """Literal text at even places, at odd ones a dotted name (str) or an :class:`Expression`."""

    __slots__ = ()


def _prepare(value: Any) -> Any:
    if isinstance(value, str):
        return _scalar(value)
    if isinstance(value, Mapping):
        return {key: _prepare(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_prepare(element) for element in value]
    return value


def _scalar(text: str) -> Any:
    if "{{" in text:
        raise ExpressionError("this is no text template: an expression is `${…}`, with one pair of braces")
    if "${" not in text:
        return text
    parts: list[Any] = [""]
    at = 0
    while (found := text.find("${", at)) >= 0:
        if found > at and text[found - 1] == "$":
            parts[-1] += text[at : found - 1] + "${"
            at = found + 2
            continue
        end = _closing_brace(text, found + 2)
        parts[-1] += text[at:found]
        source = text[found + 2 : end].strip()
        parts += [source if DOTTED.fullmatch(source) else Expression(source), ""]
        at = end + 1
    parts[-1] += text[at:]
    return _Scalar(parts) if len(parts) > 1 else parts[0]


def _closing_brace(text: str, start: int) -> int:
    """Index of the brace that ends ``${``: braces nest, and those in quotes do not count."""
    depth, quote = 0, ""
    for index in range(start, len(text)):
        char = text[index]
        if quote:
            quote = "" if char == quote and text[index - 1] != "\\" else quote
        elif char in "'\"`":
            quote = char
        elif char == "{":
            depth += 1
        elif char == "}":
            if not depth:
                return index
            depth -= 1
    raise ExpressionError(f"`{text[start - 2 : start + 30]}` has no closing brace")


def _words_of(parts: Any) -> Iterator[str]:
    if isinstance(parts, _Scalar):
        for part in parts[1::2]:
            yield from (part.first if isinstance(part, Expression) else (part,))
    elif isinstance(parts, dict):
        for member in parts.values():
            yield from _words_of(member)
    elif isinstance(parts, list):
        for element in parts:
            yield from _words_of(element)


def _render(parts: Any, context: Mapping[str, Any]) -> Any:
    if isinstance(parts, _Scalar):
        return _render_scalar(parts, context)
    if isinstance(parts, dict):
        members = ((key, _render(member, context)) for key, member in parts.items())
        return {key: member for key, member in members if member is not MISSING}
    if isinstance(parts, list):
        return [element for element in (_render(part, context) for part in parts) if element is not MISSING]
    return parts


def _render_scalar(parts: _Scalar, context: Mapping[str, Any]) -> Any:
    values = [part.search(context) if isinstance(part, Expression) else lookup(context, part) for part in parts[1::2]]
    if len(parts) == 3 and not parts[0] and not parts[2]:
        return values[0]
    text = parts[0]
    for value, literal in zip(values, parts[2::2], strict=True):
        if value is MISSING or value is None:
            return MISSING
        if isinstance(value, Mapping | list | tuple):
            text += to_json(value).decode()
        elif (part := text_of(value)) is not None:
            text += part
        else:
            raise ExpressionError(f"a {type(value).__name__} cannot be joined to text")
        text += literal
    return text
