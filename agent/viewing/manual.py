"""``datakeel.docs/1`` and ``datakeel.doc/1``: what is written about datakeel; and what ``explain`` says, as a document.

Documents are those of the package, ``agent/docs``; kinds are those of the targets at hand. Nothing is rendered here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from agent.definitions.platform import Platform
from agent.errors import AgentError, UsageError
from agent.model.explanation import FORMAT as EXPLANATION
from agent.model.explanation import Explanation
from agent.report.values import utc
from agent.viewing.explaining import Known, also_of, explained
from agent.viewing.facts import Facts, Moment

FORMAT = "datakeel.docs/1"
ONE = "datakeel.doc/1"
FOLDER = Path(__file__).parents[1] / "docs"
_SHOWN = {".md": None, ".yaml": "yaml", ".json": "json", ".service": "ini"}
_FIRST = ("reference/errors", "how-to/operations", "reference/configuration", "reference/page", "how-to/monitoring")
_SECTIONS = {"tutorial": "Tutorial", "how-to": "How-to", "reference": "Reference", "explanation": "Explanation"}
_OTHERS = "More"
_NOT_LISTED = ("README", "decisions/0", "reference/kinds/")  # the index itself, and what has one of its own
_WORDS_MAX = 300
_HEADING = re.compile(r"^# (.+)$", re.MULTILINE)


def contents(facts: Facts, moment: Moment) -> dict[str, Any]:
    """Every page by name and title, those that are asked for in haste first; every kind of the targets' platforms."""
    titles = _titles()
    listed = [name for name in titles if not name.startswith(_NOT_LISTED)]
    ordered = sorted(listed, key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name))
    return {
        "format": FORMAT,
        "at": utc(moment.now),
        "pages": [{"name": name, "title": titles[name], "section": _section(name)} for name in ordered],
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
    """What ``explain`` says of a kind of one platform, or of one member of it (``workflow.schedule.cron``)."""
    platform = _platforms(facts).get(f"{path['platform']}/{path['version']}")
    if platform is None or path["kind"] not in platform.kinds:
        raise _unknown("kind")
    word = f"{path['kind']}.{member}" if member else path["kind"]
    return _document(moment, word, explained([word], _known(facts), platform.api_version))


def word_of(facts: Facts, moment: Moment, query: Mapping[str, str]) -> dict[str, Any]:
    """What ``explain`` says of any ``word``, as it is typed there; of nothing, where none is asked for.

    ``platform`` is the one that is meant where several have the kind, ``objects`` how many a price is for.
    Raises UsageError for a word that means nothing.
    """
    written, objects = query.get("word", "")[:_WORDS_MAX], query.get("objects", "")[:9]
    words = written.removeprefix("datakeel explain ").split()
    if objects and not (objects.isascii() and objects.isdigit() and int(objects) > 0):
        raise UsageError("`objects` is no number", fix="write 1000")
    if not words:
        return _document(moment, "", [])
    known = _known(facts)
    only = query.get("platform") or None
    told = explained(words, known, only, int(objects) if objects else None)
    return _document(moment, " ".join(words), told, [] if only else also_of(told, known))


def _document(moment: Moment, word: str, told: Sequence[Explanation], also: Sequence[str] = ()) -> dict[str, Any]:
    return {
        "format": EXPLANATION,
        "at": utc(moment.now),
        "word": word,
        "explained": [each.document() for each in told],
        "also_of": list(also),
    }


def _known(facts: Facts) -> Known:
    """The platforms of the targets; those of nobody are no more than a page of the documentation."""
    return Known((), _platforms(facts))


def _section(name: str) -> str:
    first = name.partition("/")[0]
    return _SECTIONS.get("explanation" if first == "decisions" else first, _OTHERS)


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
