"""Who a commit names: its author and its committer, as anybody may have written them. Called by ``repository``."""

from __future__ import annotations

import re

from agent.errors import SourceError
from agent.model.actor import Actor, Person
from agent.source.objects import Objects

_PERSON = re.compile(r"([^<]*)<([^>]*)>")
_TEXT_MAX = 200


def actor_of(objects: Objects, commit: str) -> Actor:
    """Raises SourceError where the commit cannot be read."""
    type_, body = objects.raw(commit)
    if type_ != "commit":
        raise SourceError(f"commit {commit[:12]} cannot be read", code="git-corrupt", why="it is no commit")
    lines = body.partition(b"\n\n")[0].decode(errors="replace").split("\n")
    return Actor(_person(lines, "author "), _person(lines, "committer "))


def _person(lines: list[str], word: str) -> Person:
    header = next((line for line in lines if line.startswith(word)), "")
    found = _PERSON.match(header.removeprefix(word))
    return Person(found[1].strip()[:_TEXT_MAX], found[2].strip()[:_TEXT_MAX]) if found else Person()
