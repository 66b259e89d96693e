"""What the last examination found out of each platform, told again without asking anybody. Called by the verb."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent.cli.beside import open_beside
from agent.config.model import Config
from agent.model.examined import Finding
from agent.report.values import utc
from agent.store.location import has_store, path_of


def remembered(config: Config) -> Iterator[Finding]:
    """What the last examination found out, and how long ago that was."""
    path = path_of(config.state)
    if path is not None and not has_store(path):
        return
    with open_beside(config, write=False) as (store, _):
        for name in config.targets:
            kept = store.examined(name)
            if kept is not None:
                at, facts = kept
                said = f"{_said(facts)}; asked at {utc(at)}"
                yield Finding("memory", "ok", said, subject=name, facts=facts)


def _said(facts: Mapping[str, Any]) -> str:
    lists = facts.get("lists", {})
    told = []
    for name, each in sorted(lists.items()) if isinstance(lists, Mapping) else ():
        words = []
        if each.get("page_size") in ("honoured", "ignored"):
            words.append(f"page size {each['page_size']}")
        if each.get("page_capped"):
            words.append(f"{each['page_capped']} rows at most")
        if each.get("etag") in ("honoured", "none"):
            words.append("ETags" if each["etag"] == "honoured" else "no ETag")
        words += [f"`{word}` {how}" for word, how in each.get("filters", {}).items()]
        if words:
            told.append(f"{name}: {', '.join(words)}")
    return "; ".join(told) or "nothing that is not in the documents"
