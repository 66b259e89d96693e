"""A mistake in the configuration before it has a place, and the small words on JSON pointers that its finders share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at ``pointer``. ``at`` says whether the key or its value is meant."""

    pointer: str
    code: str
    what: str
    got: str | None = None
    fix: str | None = None
    at: Literal["key", "value"] = "value"
    why: str | None = None


def join(*words: str | int) -> str:
    """A JSON pointer of its words."""
    return "".join("/" + str(word).replace("~", "~0").replace("/", "~1") for word in words)


def dotted(pointer: str) -> str:
    """The pointer as people write it: ``targets.analytics.server``."""
    return pointer.removeprefix("/").replace("/", ".").replace("~1", "/").replace("~0", "~")


def is_secret_place(pointer: str) -> bool:
    """Whether what stands there may be a secret that somebody wrote by mistake: its text is never shown."""
    words = pointer.split("/")
    if words[1:3] == ["notifications", "sinks"]:
        return words[4:5] == ["chat"] or words[5:6] in (["url_from"], ["secret"], ["token"])
    return words[1:3] in (["source", "credentials"], ["source", "hook"], ["snapshot", "key"], ["server", "auth"]) or (
        words[1:2] == ["targets"] and words[3:4] in (["credentials"], ["secrets"], ["hook"])
    )


def as_text(value: Any) -> str:
    """A wrong value as the message shows it, at most 200 characters."""
    import json

    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 200 else text[:199] + "…"
