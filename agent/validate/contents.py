"""What a definition forbids at single places of a spec, beside its schema. Used by ``document``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.model.canonical import to_json
from agent.validate.findings import Findings
from agent.validate.kind_rules import KindRules
from agent.validate.pointers import expand, join, select
from agent.validate.recognise import Identity


def check_size(identity: Identity, most: int | None, findings: Findings) -> None:
    """More than the platform takes in one request, where that is known."""
    size = len(to_json(identity.spec)) if most is not None else 0
    if most is not None and size > most:
        what = f"about {size:,} bytes would be sent, and the platform takes {most:,} in one request"
        fix = "split it into several resources, or move what is large into a file that is uploaded"
        findings.add(identity.base, "too-big-for-platform", what, on="key", fix=fix)


def check_mark(spec: Mapping[str, Any], base: str, rules: KindRules, findings: Findings) -> None:
    """A mark of ownership, written by hand."""
    # Without places first: nearly every manifest has tags, and nearly none of them is a mark.
    if not any(map(rules.is_mark, select(spec, rules.mark_place))):
        return
    for place, text in expand(spec, rules.mark_place):
        if rules.is_mark(text):
            what = "this mark tells whose the resource is, and only the agent may set it"
            findings.add(base + join(place), "marker-reserved", what, got=text, fix="leave it out")


def check_uploads(spec: Mapping[str, Any], base: str, rules: KindRules, findings: Findings) -> None:
    """Files to upload that lie outside of the repository."""
    for pattern in rules.uploads:
        for place, path in expand(spec, pattern):
            if isinstance(path, str) and _strays(path):
                what = "a file to upload is named by its path from the top of the repository"
                fix = "write it as git does, such as jobs/clean.py"
                findings.add(base + join(place), "file-outside", what, got=path, fix=fix)


def _strays(path: str) -> bool:
    """Whether a path leaves the repository, or is written in a way that git never writes it."""
    return path.startswith("/") or any(part in ("", ".", "..") for part in path.split("/"))
