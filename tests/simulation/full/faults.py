"""What the API does wrong, by row of the fault model: rules for the sandbox, and lies that ``wire`` tells itself.

A rule's label is its row; the sandbox counts it only where it changed something.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

CREATES = ("POST",)
CHANGES = ("PUT", "PATCH")
WRITES = ("POST", "PUT", "PATCH", "DELETE")
READS = ("GET",)

_PAGE = "<html><body>Please sign in.</body></html>"
_THROTTLED = {"error": {"code": "RATE_LIMIT_EXCEEDED", "message": "slow down"}, "retry_after": 5}
_FAILED = {"status": "failed", "error": {"code": "QUOTA_EXCEEDED", "message": "no more"}, "message": "no more"}
RESETS = ("30", "-5", "0", "1769999000", "1770000045", "1770000045000", "2026-02-02T02:41:00Z", "nan", "1e400", "soon")

Rule = Mapping[str, Any]

RULES: Mapping[str, tuple[Rule, ...]] = {
    "A1": (
        {"fault": "answer-lost", "method": CREATES},
        {"fault": "late", "method": CREATES},
        {"do": "reset", "after": True, "method": ("PUT",)},
    ),
    "A2": ({"fault": "reset", "method": CREATES}, {"fault": "slow", "method": CREATES}),
    "A3": ({"do": "answer", "status": 409, "after": True, "method": CREATES},),
    "A8": ({"do": "answer", "status": 412, "method": CHANGES},),
    "A10": (
        {"do": "answer", "status": 429, "seconds": 5},
        {"do": "answer", "status": 429, "body": "", "headers": {"retry-after": "Mon, 02 Feb 2026 02:43:00 GMT"}},
        {"do": "answer", "status": 429, "body": "", "headers": {"retry-after": "7"}},
    ),
    "A11": (
        {"do": "answer", "status": 429, "body": _THROTTLED},
        {"do": "answer", "status": 429, "body": "", "content_type": "text/plain"},
    ),
    "A14": ({"fault": "server-error", "method": READS, "times": 9}, {"fault": "unavailable", "times": 12}),
    "A15": ({"fault": "server-error-after", "method": WRITES},),
    "A16": ({"fault": "cut"}, {"fault": "reset", "method": READS}),
    "A18": (
        {"fault": "html"},
        {"fault": "html-after", "method": WRITES},
        {"do": "answer", "status": 200, "body": _FAILED, "method": WRITES},
        {"do": "answer", "status": 204, "body": "", "method": READS},
        {"do": "answer", "status": 207, "after": True, "body": {"results": []}, "method": WRITES},
        {"fault": "request-timeout"},
    ),
    "A19": ({"fault": "redirect"}, {"fault": "redirect", "after": True, "method": WRITES}),
    "A20": (
        {"fault": "other-identity"},
        {"fault": "other-workspace"},
        {"do": "set", "at": "/id", "value": "elsewhere-1"},
    ),
    "A21": ({"fault": "broken-json"}, {"fault": "duplicate-keys"}),
    "A23": ({"fault": "shifted-page"},),
    "A24": ({"fault": "duplicated-row"}, {"fault": "wrong-total"}, {"fault": "short-list"}),
    "A25": ({"fault": "empty-list"},),
    "A26": ({"fault": "filter-ignored", "method": READS},),
    "A27": ({"fault": "stale", "method": READS},),
    "A31": ({"fault": "drip", "method": READS},),
    "A34": (
        {"do": "replace", "old": '"name"', "new": '"title_of"'},
        {"do": "replace", "old": '"id":', "new": '"id":["x"],"old_id":'},
    ),
    "A35": ({"fault": "null-rows"}, {"do": "answer", "status": 200, "body": {"data": None}, "method": READS}),
    "K8": (
        {"fault": "answer-lost", "method": CHANGES},
        {"fault": "late", "method": CHANGES},
        {"fault": "reset", "method": CHANGES},
    ),
    "K10": ({"fault": "answer-lost", "method": ("DELETE",)}, {"fault": "late", "method": ("DELETE",)}),
    "C1": ({"fault": "unauthorized"},),
    "C2": ({"fault": "forbidden"},),
}
"""Rows that the sandbox plays."""

LIES: Mapping[str, tuple[Rule, ...]] = {
    "A12": tuple(
        {"lie": "headers", "headers": {"x-ratelimit-reset": reset, "x-ratelimit-remaining": left}}
        for reset in RESETS
        for left in ("3", "-1", "many")
    ),
    "A17": ({"lie": "truncated", "method": READS},),
    "A21": ({"lie": "deep"}, {"lie": "bomb"}, {"lie": "surrogate"}),
    "K4": ({"lie": "late", "method": (*CREATES, "PUT")},),
    "K9": ({"lie": "half", "method": CHANGES},),
    "K18": ({"lie": "action lost", "method": CREATES},),
}
"""Rows that lie between the agent and the platform."""


def draw_fault(chance: random.Random, row: str, kind: str, settle: float) -> Mapping[str, Any]:
    """One rule of a row, with how often it strikes. Reads lag for less than ``settle``: so long is believed nothing."""
    found = dict(chance.choice((RULES if kind == "fault" else LIES)[row]))
    if row == "A27":
        found["seconds"] = settle * chance.choice((0.3, 0.8))
    found.setdefault("times", chance.choice((1, 1, 2, 4)))
    found["probability"] = chance.choice((0.3, 1.0, 1.0))
    return {**found, "label": row}
