"""A document as HTML. What a document says is foreign: it is escaped, and what it could hide is made visible.

Called by ``routes`` for who asks for HTML. Reads no clock: ages are told from the document's own moment, and a script
keeps them up in an open page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from agent import __version__
from agent.report.change_text import MARKS
from agent.report.escape import clean
from agent.report.values import about, counted, duration, is_long, line_diff, show, window_word
from agent.server.pages import drawing, markdown

TEMPLATES = Path(__file__).parent / "templates"
NAV = (
    ("overview", "/", "Overview"),
    ("resources", "/resources", "Resources"),
    ("plan", "/plan", "Plan"),
    ("history", "/history", "History"),
    ("events", "/events", "Events"),
    ("health", "/health", "Health"),
    ("docs", "/docs", "Docs"),
)
STATES = (
    *("failed", "invalid", "unknown", "held", "drifted", "unhealthy", "pending", "suspended"),
    *("kept", "progressing", "in sync"),
)
_PART_OF = {"resource": "resources", "pass": "history", "doc": "docs", "kind": "docs", "word": "docs"}
_VALUE_WIDTH = 400


def render(template: str, document: Mapping[str, Any], view: str, path: str, query: str) -> str:
    """The page at ``path`` with its ``query``, as it was asked for."""
    here = path + (f"?{query}" if query else "")
    return (
        _environment()
        .get_template(template)
        .render(
            it=document,
            view=view,
            section=_PART_OF.get(view, view),
            here=here,
            api=("/api/overview" if path == "/" else f"/api{path}") + (f"?{query}" if query else ""),
            now=_epoch(document.get("at")),
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_safe,
        auto_reload=False,
    )
    environment.globals |= {
        "nav": NAV,
        "states": STATES,
        "version": __version__,
        "bar": drawing.bar,
        "strip": drawing.strip,
        "strip_words": drawing.strip_words,
        "meter": _meter,
        "marks": {str(action): mark for action, mark in MARKS.items()},
        "link": link,
        "resource_link": resource_link,
        "lines_of": lines_of,
        "is_long": _is_long,
    }
    environment.filters |= {
        "ago": _ago,
        "due": _due,
        "clock": _clock,
        "short": lambda commit: str(commit)[:7],
        "duration": _duration,
        "counted": counted,
        "value": lambda value: show(value, _VALUE_WIDTH),
        "breakable": _breakable,
        "prose": _prose,
        "markdown": markdown.as_filter,
        "slug": lambda text: re.sub(r"[^a-z0-9]+", "-", str(text).lower()),
    }
    return environment


def _safe(value: Any) -> Any:
    """What a template prints: one line without tricks, unless it is markup of our own."""
    return clean(value) if type(value) is str else "" if value is None else value


def link(path: str, **query: Any) -> str:
    """A path of ours with those words of a query that say something."""
    words = {name: value for name, value in query.items() if value not in ("", None)}
    return path + (f"?{urlencode(words)}" if words else "")


def resource_link(key: Mapping[str, Any]) -> str:
    """Where the page of a resource is: its scope stands between kind and name."""
    names = [key["target"], key["kind"], *key["scope"].values(), key["name"]]
    return "/resources/" + "/".join(quote(str(name), safe="") for name in names)


def lines_of(field: Mapping[str, Any]) -> tuple[str, list[tuple[str, str]]]:
    """``12 lines, 1 changed``, and the lines of a long change: ``del``, ``ins`` or ``same``, and the text."""
    words = {"-": "del", "+": "ins"}
    told, lines = line_diff(field.get("before"), field["after"])
    return told, [(words.get(line[2:3], "same"), line[4:]) for line in lines]


def _is_long(field: Mapping[str, Any]) -> bool:
    return "after" in field and is_long(field.get("before"), field["after"], added="before" not in field)


def _meter(window: Mapping[str, Any]) -> drawing.Meter:
    seconds = window.get("whole_in_seconds")
    return drawing.meter(window, window_word(window["window_seconds"])[0], _whole(about(seconds)) if seconds else "")


def _duration(seconds: float) -> str:
    return _whole(duration(seconds))


def _whole(text: str) -> str:
    """A number stays on the line of its unit."""
    return text.replace(" ", "\u00a0")


def _epoch(text: Any) -> float | None:
    return datetime.fromisoformat(text).timestamp() if isinstance(text, str) and text else None


def _due(text: str | None, now: float | None, never: str) -> Markup:
    """As :func:`_ago`, for what is to come: when its moment is over, it is due."""
    at = _epoch(text)
    if at is None or now is None:
        return Markup("{}").format(never)
    told = f"in {_duration(at - now)}" if at > now else "now"
    return Markup('<time datetime="{}" title="{}" data-due>{}</time>').format(text, _words(at), told)


def _ago(text: str | None, now: float | None, never: str = "never") -> Markup:
    """``3 min ago`` or ``in 38 s`` as an element that knows the moment itself."""
    at = _epoch(text)
    if at is None or now is None:
        return Markup("{}").format(never)
    told = f"in {_duration(at - now)}" if at > now else f"{_duration(now - at)} ago"
    return Markup('<time datetime="{}" title="{}" data-age>{}</time>').format(text, _words(at), told)


def _clock(text: str | None) -> Markup:
    """The moment in UTC, as people write it."""
    at = _epoch(text)
    return Markup("") if at is None else Markup('<time datetime="{}">{}</time>').format(text, _words(at))


def _words(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _prose(text: Any) -> Markup:
    """A sentence: what it quotes in backticks is code."""
    pieces = clean(str(text)).split("`")
    if len(pieces) % 2 == 0:
        return Markup("{}").format("`".join(pieces))
    plain, code = Markup("{}"), Markup("<code>{}</code>")
    return Markup("").join((code if number % 2 else plain).format(piece) for number, piece in enumerate(pieces))


def _breakable(text: Any) -> Markup:
    """A path or a name that a narrow page may break behind its separators."""
    parts = re.split(r"(?<=[/._:-])", clean(str(text)))
    return Markup("<wbr>").join(parts)
