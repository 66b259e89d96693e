"""Reads YAML as nearly everybody writes it, line by line and without libyaml: blocks of mappings and lists.

Called by ``fold`` before it asks libyaml. Each line of this subset has one meaning only. At the first line that may be
outside of it, or at which anything may be wrong, the whole text is given up and left to ``fold``: no problem is ever
reported here. What is returned is what ``fold`` returns; the tests and the fuzzer hold the two together.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from agent.yaml_io.budget import Budget, Document
from agent.yaml_io.scalars import WORDS, Mark, resolve

# Matches every line exactly once: indentation, the dash of an item, a key, the rest.
_LINE = re.compile(r"( *+)(- ++)?+(?:([A-Za-z_][A-Za-z0-9_./-]{0,200}+):(?=[ \n]))?+ *+([^\n]*+)\n")
_STARTS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./$(+<=^;\\")  # of a plain scalar
_DASHED = re.compile(r"-[A-Za-z0-9.-]")
_QUOTED = re.compile(r"(?:\"([^\"\\]*)\"|'([^']*)')(?: +#.*)?")
_WORDS = r"(?:[A-Za-z0-9_./$]|-(?=[A-Za-z0-9.]))(?:[A-Za-z0-9_./$+=@~-]++|:(?=[A-Za-z0-9_./-])| ++(?=[A-Za-z0-9_./]))*+"
_SCALAR = rf"(\"[^\"\\]*+\"|'[^']*+'|{_WORDS})?+"
# One element in brackets: what opens before it, a scalar, a second one if a colon makes the first a key, what closes
# behind it, a comma. The last group is what has no place there.
_ELEMENT = re.compile(rf" *+([\[{{ ]*+){_SCALAR}(: ++)?+{_SCALAR} *+([\]}} ]*+)(?:(,)|(?=[\[{{])|\Z|(.))")
_DEPTH_MAX = 40
_FLOW_DEPTH_MAX = 20
_FLOW_MAX = 1000  # libyaml takes no longer key
_STRANGE = ("\t", "\r", "\u00a0", "ENC[AES256_GCM,")  # fold has something to say about these


class _Beyond(Exception):
    """The text is not of the subset."""


def read(text: str, budget: Budget) -> tuple[Document, ...] | None:
    """The documents of a text that passed the screen, or None where ``fold`` must read it."""
    # A node takes a character at least, so that this stands for all budgets but those that are looked at below.
    if len(text) > min(budget.nodes, budget.scalar) or budget.depth < _DEPTH_MAX + _FLOW_DEPTH_MAX:
        return None
    if any(map(text.__contains__, _STRANGE)):
        return None
    try:
        documents = _documents(text, budget.number)
    except _Beyond:
        return None
    return documents if len(documents) <= budget.documents else None


def _documents(text: str, longest: int) -> tuple[Document, ...]:
    """The hot loop. A container holds what stands at its column; the stack is what that is in."""
    documents: list[Document] = []
    root: Any = None
    container: Any = None
    column = first = resume = 0
    stack: list[tuple[int, Any]] = []
    pending = ""  # a key whose value stands in the lines below, or is nothing
    separated = False
    lines: list[str] = []
    for number, (blanks, dash, key, value) in enumerate(_LINE.findall(text if text[-1:] == "\n" else f"{text}\n")):
        if number < resume:
            continue
        at = len(blanks)
        if not key and not dash:
            if not value or value[0] == "#":
                continue
            if value != "---" or at or (separated and root is None):
                raise _Beyond
            if root is not None:
                documents.append(_ended(root, len(documents), first, container, pending))
            root, pending, separated = None, "", True
            continue
        if root is None:
            root = container = {}
            stack, column, first = [], 0, number + 1
        elif pending:
            if at > column or (dash and at == column):
                if len(stack) > _DEPTH_MAX:
                    raise _Beyond
                stack.append((column, container))
                below: Any = [] if dash else {}
                container[pending] = below
                column, container = at, below
            else:
                container[pending] = None
            pending = ""
        if dash or at != column or container.__class__ is list:
            while at < column or (at == column and not dash and container.__class__ is list):
                column, container = stack.pop()
            if at != column or (container.__class__ is list) is not (dash != "") or len(stack) > _DEPTH_MAX:
                raise _Beyond
            if dash and key:
                stack.append((column, container))
                container.append({})
                column, container = at + len(dash), container[-1]
        if key and (key in container or key in WORDS):
            raise _Beyond
        if not value or value[0] == "#":
            if not key:
                raise _Beyond
            pending = key
            continue
        if value[0] == "|":
            lines = lines or text.split("\n")
            read_as, resume = _literal(lines, number + 1, column, value)
        else:
            read_as = _value(value, longest)
            if read_as.__class__ is dict or read_as.__class__ is list:
                read_as = _copied(read_as)  # the remembered one belongs to nobody
        if key:
            container[key] = read_as
        else:
            container.append(read_as)
    if root is None:
        raise _Beyond
    documents.append(_ended(root, len(documents), first, container, pending))
    return tuple(documents)


def _ended(root: Any, index: int, first: int, container: Any, pending: str) -> Document:
    if pending:
        container[pending] = None
    return Document(root, index, first, 1, False, False)


# Manifests say the same again and again: images, sizes, tags. Finding it takes a fifth of reading it.
@lru_cache(maxsize=8192)
def _value(text: str, longest: int) -> Any:
    """A scalar, or a collection in brackets, that ends where its line does."""
    head = text[0]
    if text[-1] == " ":
        text = text.rstrip(" ")
    if head in _STARTS or head > "\x7f" or (head == "-" and _DASHED.match(text)):
        if "#" in text:
            text = text.partition(" #")[0].rstrip(" ")
        if ":" in text and (": " in text or text[-1] == ":"):
            raise _Beyond
        return _plain(text, longest) if text < ":" or text in WORDS else text
    if head == '"' or head == "'":
        quoted = _QUOTED.fullmatch(text)
        if quoted is None:
            raise _Beyond
        return quoted[1] if head == '"' else quoted[2]
    if (head == "[" or head == "{") and len(text) <= _FLOW_MAX:
        return _flow(text if text[-1] in "]}" else text.partition(" #")[0].rstrip(" "), longest)
    raise _Beyond


def _copied(value: Any) -> Any:
    if value.__class__ is dict:
        return {key: _copied(each) for key, each in value.items()}
    return [_copied(each) for each in value] if value.__class__ is list else value


def _plain(text: str, longest: int) -> Any:
    value = resolve(text, longest)
    if value.__class__ is Mark:
        raise _Beyond
    return value


def _flow(text: str, longest: int) -> Any:
    """A collection in brackets, in one line: each scalar plain, or quoted without escapes."""
    whole: list[Any] = []
    container: Any = whole
    key: Any = None
    stack: list[tuple[Any, Any]] = []
    is_due = True  # an element, and not a comma
    for opened, first, colon, second, closed, comma, other in _ELEMENT.findall(text):
        if opened:
            for bracket in opened.replace(" ", ""):
                if not is_due or (container.__class__ is dict and key is None) or len(stack) > _FLOW_DEPTH_MAX:
                    raise _Beyond
                stack.append((container, key))
                container, key = [] if bracket == "[" else {}, None
        if colon:
            key = _scalar(first, longest)
            if not is_due or container.__class__ is not dict or key.__class__ is not str or key in container:
                raise _Beyond
            if second:
                container[key] = _scalar(second, longest)
                key, is_due = None, False
        elif first:
            if not is_due or container.__class__ is dict or not stack or second:
                raise _Beyond
            container.append(_scalar(first, longest))
            is_due = False
        if closed:
            for bracket in closed.replace(" ", ""):
                fits = container.__class__ is (list if bracket == "]" else dict)
                if not fits or not stack or key is not None or (is_due and container):
                    raise _Beyond
                value = container
                container, key = stack.pop()
                if key is None:
                    container.append(value)
                else:
                    container[key] = value
                key, is_due = None, False
        if comma and not is_due and stack:
            is_due = True
        elif comma or other:
            raise _Beyond
    if stack or is_due:
        raise _Beyond
    return whole[0]


def _scalar(text: str, longest: int) -> Any:
    if text >= ":":
        return _plain(text, longest) if text in WORDS else text
    return text[1:-1] if text[:1] in ("'", '"') else _plain(text, longest)


def _literal(lines: list[str], start: int, column: int, header: str) -> tuple[str, int]:
    """The text below ``|``, which is indented deeper than ``column``, and the number of the line after it."""
    if header not in ("|", "|-") or start >= len(lines):
        raise _Beyond
    margin = len(lines[start]) - len(lines[start].lstrip(" "))
    if margin <= column or margin == len(lines[start]):
        raise _Beyond
    content: list[str] = []
    blanks = " " * margin
    for number in range(start, len(lines)):
        line = lines[number]
        if line.startswith(blanks):
            rest = line[margin:]
            if rest and rest[0] == " " and not rest.strip(" "):
                raise _Beyond  # a line of blanks that reach into the text
            content.append(rest)
        elif not line.strip(" "):
            content.append("")
        else:
            break
    else:
        if lines[-1]:
            raise _Beyond  # without a last line break
    end = start + len(content)
    while not content[-1]:
        content.pop()
    return "\n".join(content) + ("\n" if header == "|" else ""), end
