"""``datakeel.docs/1``, ``datakeel.doc/1``, ``datakeel.kind/1``: what is written about datakeel, what `explain` says.

Documents are those of the package, ``agent/docs``; kinds are those of the targets at hand. Nothing is rendered here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from agent.definitions.kind_words import about_kind
from agent.definitions.member_words import about_member
from agent.definitions.platform import Kind, Platform
from agent.definitions.promise_words import as_text
from agent.definitions.schema_words import Said
from agent.errors import AgentError
from agent.json_schema import Schema
from agent.report.values import utc
from agent.viewing.facts import Facts, Moment

FORMAT = "datakeel.docs/1"
ONE = "datakeel.doc/1"
KIND = "datakeel.kind/1"
FOLDER = Path(__file__).parents[1] / "docs"
_SHOWN = {".md": None, ".yaml": "yaml", ".json": "json", ".service": "ini"}
_FIRST = ("reference/errors", "how-to/operations", "reference/configuration", "reference/page", "how-to/monitoring")
_HEADING = re.compile(r"^# (.+)$", re.MULTILINE)


def contents(facts: Facts, moment: Moment) -> dict[str, Any]:
    """Every page by name and title, those that are asked for in haste first; every kind of the targets' platforms."""
    titles = _titles()
    ordered = sorted(titles, key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name))
    return {
        "format": FORMAT,
        "at": utc(moment.now),
        "pages": [{"name": name, "title": titles[name]} for name in ordered],
        "platforms": [
            {
                "name": platform.api_version,
                "managed": [kind.name for kind in platform.kinds.values() if kind.managed],
                "observed": [kind.name for kind in platform.kinds.values() if not kind.managed],
            }
            for platform in _platforms(facts).values()
        ],
    }


def page(moment: Moment, name: str) -> dict[str, Any]:
    """One page as Markdown; an example as a page that holds it. AgentError ``not-found`` for any other name."""
    path = FOLDER / f"{name}.md"
    if name not in _titles():
        path = next((each for each in _files() if each.relative_to(FOLDER).as_posix() == name), FOLDER)
    if not path.is_file():
        raise _unknown("page")
    text, language = path.read_text(encoding="utf-8"), _SHOWN[path.suffix]
    if language is not None:
        text = f"# {path.name}\n\n````{language}\n{text}\n````\n"
    title = _HEADING.search(text)
    return {
        "format": ONE,
        "at": utc(moment.now),
        "name": path.relative_to(FOLDER).as_posix().removesuffix(".md"),
        "title": title[1] if title else name,
        "text": text,
    }


def kind_of(facts: Facts, moment: Moment, path: Mapping[str, str], member: str) -> dict[str, Any]:
    """What ``explain`` says of a kind, or of one member of it (``workflow.schedule.cron``), as lines of text."""
    api_version = f"{path['platform']}/{path['version']}"
    platform = _platforms(facts).get(api_version)
    kind = platform.kinds.get(path["kind"]) if platform is not None else None
    if platform is None or kind is None:
        raise _unknown("kind")
    text = about_member(platform, kind, member) if member else about_kind(platform, kind)
    first, _, rest = text.partition("\n")
    return {
        "format": KIND,
        "at": utc(moment.now),
        "platform": api_version,
        "kind": kind.name,
        "member": member,
        "summary": first,
        "text": rest.strip("\n"),
        "members": _members(kind, member),
        "promises": "" if member else as_text(platform),
    }


def _members(kind: Kind, member: str) -> list[str]:
    """The members that have more to tell, by their whole names."""
    if kind.schema is None:
        return []
    said = Said(Schema(kind.schema, kind.schema_path))
    for word in member.split(".") if member else ():
        said = said.below(word)
    if said.is_list and not said.members():
        said, member = said.below("*"), f"{member}.*"
    return [f"{member}.{each.name}" if member else each.name for each in said.members()]


def _platforms(facts: Facts) -> dict[str, Platform]:
    found = {target.platform.api_version: target.platform for target in facts.targets.values()}
    return dict(sorted(found.items()))


@cache
def _titles() -> dict[str, str]:
    """By name, the title of each page."""
    found = {}
    for path in _files():
        if path.suffix == ".md":
            title = _HEADING.search(path.read_text(encoding="utf-8"))
            found[path.relative_to(FOLDER).as_posix().removesuffix(".md")] = title[1] if title else path.stem
    return found


def _files() -> Iterator[Path]:
    return (path for path in FOLDER.rglob("*") if path.suffix in _SHOWN and path.is_file())


def _unknown(what: str) -> AgentError:
    return AgentError(f"there is no such {what}", code="not-found", fix="/docs lists what there is")
