"""Translates libyaml's complaints: a code, a place, a sentence and what mends it, from the message and the lines.

Called once for a text, when the parser gives up. libyaml names the symptom; the commonest causes in real manifests
(template braces, tabs, no-break spaces, merge conflicts, unquoted texts) are looked for in the lines at the fault.
"""

from __future__ import annotations

import re
from typing import Any, Final

from yaml import YAMLError

from agent.errors import Problem, Where
from agent.yaml_io import faults

_BRACES = re.compile(r"\{\{|\{%|\{#")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'|#.*')
_VARIABLE = re.compile(r"\$\{[A-Za-z_][\w-]*\}")
_CONFLICT = re.compile(r"(?:<{7}|={7}|>{7})(?:\s|$)")
_INDENT_TAB = re.compile(r"[ -]*(\t)")
_INVISIBLE = re.compile("[ \t]*([\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000])")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_PROMPT = re.compile(r"\s*(?:[\w.@~-]+[$#%>] |[$#>] \w|➜|\+-+\+|\|.*\|\s*$)")
_LINES_BACK: Final = 12

_QUOTE: Final = "put the value in quotes"
# libyaml's words -> (what, fix). `{c}` is the character at the fault.
_SENTENCES: Final[dict[str, tuple[str, str | None]]] = {
    "found character that cannot start any token": ("no value may start with `{c}`", f"quote it: {_QUOTE}"),
    "mapping values are not allowed in this context": (
        "a second `:` where only a text or a value may stand, or a line with the wrong indentation",
        'quote it, if the text holds ": "; else align the line with its neighbours',
    ),
    "did not find expected key": (
        "the line does not fit its mapping: wrong indentation, or text after a value that is complete",
        "align it with the other keys; quote it, if it is part of a text",
    ),
    "did not find expected '-' indicator": (
        "the line does not fit its list: a `-` was expected at this indentation",
        "align it with the other items",
    ),
    "could not find expected ':'": (
        "a key without `:`, or text that is not indented below its key",
        "add the `:`, or indent the line",
    ),
    "did not find expected alphabetic or numeric character": (
        "`*` and `&` at the start of a value name an alias or an anchor",
        f"quote it: {_QUOTE}",
    ),
    "did not find expected <document start>": (
        "text stands after the end of the document",
        "separate documents with a line `---`; quote it, if it belongs to the value before",
    ),
    "did not find expected ',' or '}'": ("`{` is not closed, or a `,` is missing", "add `,` or `}`"),
    "did not find expected ',' or ']'": ("`[` is not closed, or a `,` is missing", "add `,` or `]`"),
    "did not find expected node content": (
        "a value is missing, or starts with a character that means more",
        "quote it",
    ),
    "found unexpected end of stream": ("a quote is opened and not closed", "close the quote"),
    "found unexpected document indicator": ("a quote is opened and not closed before `---`", "close the quote"),
    "found unknown escape character": (
        "an unknown escape in double quotes",
        "use single quotes, or write the backslash twice",
    ),
    "block sequence entries are not allowed in this context": (
        "a list item starts where none may stand",
        "put the list on the next line, below its key",
    ),
    "found unexpected ':'": ("a `:` inside an unquoted text", f"quote it: {_QUOTE}"),
    "did not find expected comment or line break": ("text after `|` or `>`", "begin the text on the next line"),
    "block collection entries are not allowed in this context": ("a block inside brackets", "close the bracket first"),
}


def syntax_problem(error: YAMLError, text: str) -> Problem:
    """The problem that a parser error stands for."""
    said = str(getattr(error, "problem", "") or "")
    mark: Any = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return Problem("yaml-syntax", f"this is not YAML: {said or 'unreadable'}", Where("", 1, 1))
    context: Any = getattr(error, "context_mark", None)
    lines = text.split("\n")
    last = min(mark.line, len(lines) - 1)
    first = max(min(context.line if context is not None else last, last), last - _LINES_BACK)
    where = faults.at(mark)
    return (
        _cause(lines, first, last)
        or _named(said, where, lines[last], mark.column)
        or _worded(said, where, lines[last], mark.column, context)
    )


def _cause(lines: list[str], first: int, last: int) -> Problem | None:
    """A cause that the lines show, nearest to the fault first."""
    for number in range(last, first - 1, -1):
        line = lines[number]
        conflict = _CONFLICT.match(line)
        if conflict:
            what = "git conflict marker: two versions of these lines stand in the file"
            fix = "keep one version and remove the marker lines"
            return Problem("merge-conflict", what, Where("", number + 1, 1), got=line.rstrip()[:200], fix=fix)
    for number in range(first, last + 1):
        bare = _QUOTED.sub(lambda found: " " * len(found[0]), lines[number])
        braces = _BRACES.search(bare)
        if braces:
            return faults.template(Where("", number + 1, braces.start() + 1))
    for number in range(last, first - 1, -1):
        tab = _INDENT_TAB.match(lines[number])
        if tab:
            return faults.tab(Where("", number + 1, tab.start(1) + 1))
        invisible = _INVISIBLE.match(lines[number])
        if invisible:
            return faults.invisible_indent(Where("", number + 1, invisible.start(1) + 1))
    return None


def _named(said: str, where: Where, line: str, column: int) -> Problem | None:
    """Faults with a code of their own."""
    if "tab character" in said or line[column : column + 1] == "\t":
        found = line.find("\t")
        return faults.tab(Where("", where.line, found + 1) if found >= 0 else where)
    if "incompatible YAML document" in said or "%YAML" in said or "version" in said:
        return Problem("yaml-version", "only YAML 1.1 and 1.2 are read", where, got=line[:60], fix="remove the line")
    if "%TAG" in said or "tag" in said:
        return Problem("yaml-tag", "a tag that cannot be read: values are of the JSON types only", where)
    if "escape" in said and _SURROGATE.search(line):
        what = "half of a surrogate pair is no character"
        return Problem(
            "yaml-surrogate", what, where, got="\\ud800", fix="write the character itself, or \\U and 8 digits"
        )
    return None


def _worded(said: str, where: Where, line: str, column: int, context: Any) -> Problem:
    character = line[column : column + 1] or "end of file"
    what, fix = _SENTENCES.get(said, (f"this is not YAML: {said}", None))
    if _PROMPT.match(line):
        what, fix = "this looks like the output of a console, not YAML", "keep the manifest's own lines only"
    variable = _VARIABLE.search(_QUOTED.sub(lambda found: " " * len(found[0]), line))
    if variable is not None and said.startswith("did not find expected ','"):
        what, fix = "inside of brackets a variable wants quotes", f'write "{variable[0]}"'
    also: tuple[Where, ...] = ()
    if context is not None and faults.at(context) != where:
        also = (faults.at(context),)
    return Problem("yaml-syntax", what.replace("{c}", character), where, fix=fix, also=also)
