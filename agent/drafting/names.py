"""Names: of kinds from paths, of scope words from kinds, of members as people write them. Pure text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from agent.definitions.vocabulary import CONTEXT, KIND_NAME

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_AS_THEY_ARE = frozenset(
    [
        "status",
        "alias",
        "canvas",
        "atlas",
        "bus",
        "address",
        "access",
        "process",
        "analysis",
        "basis",
        "news",
        "series",
        "species",
        "kubernetes",
        "https",
        "dns",
        "sms",
        "aws",
        "gas",
        "lens",
        "redis",
        "class",
        "css",
        "js",
        "os",
        "ws",
    ]
)
_IRREGULAR = {
    "people": "person",
    "children": "child",
    "indices": "index",
    "indexes": "index",
    "matrices": "matrix",
    "vertices": "vertex",
    "schemata": "schema",
    "criteria": "criterion",
    "media": "medium",
    "data": "data",
    "metadata": "metadata",
    "aliases": "alias",
    "statuses": "status",
    "caches": "cache",
    "movies": "movie",
    "cookies": "cookie",
    "leaves": "leaf",
    "shelves": "shelf",
    "databases": "database",
    "responses": "response",
    "cases": "case",
    "bases": "base",
    "releases": "release",
    "leases": "lease",
    "phases": "phase",
    "houses": "house",
    "warehouses": "warehouse",
    "lakehouses": "lakehouse",
    "licenses": "license",
    "purchases": "purchase",
    "expenses": "expense",
    "use_cases": "use_case",
}


def words_of(name: str) -> list[str]:
    """``workPool-queues_v2`` → work, pool, queues, v, 2."""
    return [word.lower() for word in _WORDS.findall(name)]


def singular(word: str) -> str:
    """The singular of an English plural, in small letters; a word that is none stays."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word in _AS_THEY_ARE or len(word) < 4 or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") else word


def kind_name(*steps: str) -> str | None:
    """``work_pools`` → WorkPool; several steps are put together. None where no letter is left."""
    words: list[str] = []
    for step in steps:
        parts = words_of(step)
        words += [*parts[:-1], singular(parts[-1])] if parts else []
    name = "".join(word.capitalize() for word in words)[:60]
    return name if KIND_NAME.fullmatch(name) else None


def snake(name: str) -> str:
    """``WorkPool`` → work_pool."""
    return "_".join(words_of(name))


def squeezed(name: str) -> str:
    """For comparison: small letters and digits alone."""
    return "".join(words_of(name))


def scope_word(kind: str, taken: Iterable[str] = ()) -> str:
    """The word of ``metadata`` that names an object of a kind."""
    word = snake(kind) or "parent"
    while word in CONTEXT or word in taken or not word[0].isalpha():
        word = f"in_{word}"
    return word


def slug(title: str) -> str:
    """A platform's name from a title: ``The Acme REST API v2`` → acme."""
    dropped = {"api", "the", "rest", "restful", "v", "http", "server", "openapi", "swagger", "public", "service"}
    words = [word for word in words_of(title) if word not in dropped and not word.isdecimal()]
    return "-".join(words[:3])
