"""Markdown of our own documents as HTML that keeps to the pages' policy: no markup of its own, nothing inline.

Used by ``render``. Headings have the ids that forges give them, so that links between documents lead to their places;
links to other documents stay within the pages, and those that lead out of the package are text.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

BASE, FILES = "/docs", "/docs/files"
_LOCAL = (".md", ".yaml", ".json", ".service")
_PICTURES = (".webp",)


def html_of(text: str, name: str) -> Markup:
    """``name`` is that of the document, which its links start from: ``how-to/sidecar``."""
    tokens = _parser().parse(text)
    _settle(tokens, posixpath.dirname(name))
    return Markup(_parser().renderer.render(tokens, _parser().options, {}))  # noqa: S704 - escaped by the parser


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _settle(tokens: Sequence[Token], folder: str) -> None:
    """What the pages need besides: ids, links that lead somewhere, blocks that a keyboard can scroll."""
    ids: dict[str, int] = {}
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            told = tokens[place + 1].content
            slug = re.sub(r"[^\w\- ]", "", told.lower()).replace(" ", "-")
            ids[slug] = ids.get(slug, -1) + 1
            token.attrSet("id", f"{slug}-{ids[slug]}" if ids[slug] else slug)
        elif token.type in ("fence", "code_block"):
            token.attrSet("tabindex", "0")
        elif token.type == "table_open":
            token.attrSet("class", "rows")
        elif token.type in ("th_open", "td_open"):
            if "right" in str(token.attrs.pop("style", "")):
                token.attrSet("class", "number")
            if token.type == "th_open":
                token.attrSet("scope", "col")
        elif token.children:
            _relink(token.children, folder)


def _relink(tokens: Sequence[Token], folder: str) -> None:
    dropped: list[bool] = []
    for token in tokens:
        if token.type == "link_open":
            where = _place(str(token.attrGet("href") or ""), folder, _LOCAL)
            dropped.append(where is None)
            if where is None:
                token.hidden, token.tag = True, ""
            else:
                token.attrSet("href", where)
        elif token.type == "link_close" and dropped.pop():
            token.hidden, token.tag = True, ""
        elif token.type == "image":
            where = _place(str(token.attrGet("src") or ""), folder, _PICTURES)
            token.attrSet("src", where or "")
            token.attrSet("loading", "lazy")


def _place(link: str, folder: str, endings: tuple[str, ...]) -> str | None:
    """Where a link of a document leads from a page of ours; None for what is not in the package."""
    if re.match(r"https?://", link) or link.startswith("#"):
        return link
    path, mark, fragment = link.partition("#")
    path = posixpath.normpath(posixpath.join(folder, path))
    if path.startswith("..") or not path.endswith(endings):
        return None
    return f"{FILES}/{path}" if path.endswith(_PICTURES) else f"{BASE}/{path.removesuffix('.md')}{mark}{fragment}"


def as_filter(text: Any, name: Any) -> Markup:
    """For templates."""
    return html_of(str(text), str(name))
