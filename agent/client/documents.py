"""What a program hands over to be made: a file, a mapping or words, checked as a manifest is. No call is made here.

A mapping may be the platform's own document where the definition recognises one, or ``kind``, ``metadata`` and ``spec``
(``apiVersion`` may be left out). All mistakes are told at once, by :class:`ManifestError`, before anything is sent.
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from agent.client.errors import NotSupportedError
from agent.client.session import Session
from agent.definitions.platform import Kind
from agent.errors import ManifestError, Problem, UsageError, Where
from agent.model.canonical import to_json
from agent.model.identity import Key
from agent.model.manifest import CheckedFile, Lifecycle
from agent.secrets import Secret
from agent.validate.document import check_file

_UNSAID = "datakeel-unsaid"  # stands for a scope word that nobody said, so that a check asks for none
_FILE_MAX = 4 << 20


@dataclass(frozen=True, slots=True)
class Draft:
    """A checked document. ``folder`` is where the paths of files that it uploads begin."""

    kind: Kind
    key: Key
    spec: Mapping[str, Any] = field(repr=False)
    lifecycle: Lifecycle
    folder: Path


def draft_of(session: Session, document: Any) -> Draft:
    """``document`` is the path of a YAML file that holds one, or a mapping. Raises ManifestError and UsageError."""
    if isinstance(document, str | os.PathLike):
        path = Path(document)
        return _checked(session, _content(path), str(path), path.parent, lines=True)
    if not isinstance(document, Mapping):
        raise UsageError(
            f"a {type(document).__name__} is no document", fix="hand over the path of a YAML file, or a dictionary"
        )
    _must_be_managed(session, document)
    if "kind" in document and "apiVersion" not in document and {"metadata", "spec"} & set(document):
        document = {"apiVersion": session.platform.api_version, **document}
    return _checked(session, _encoded(document), "the dictionary", Path(), lines=False)


def draft_of_words(session: Session, kind: Kind, words: Mapping[str, Any]) -> Draft:
    """The same from ``create(name=…, …)``: what is no name and no scope word is the spec."""
    places = {"name", *(word.word for word in kind.scope)}
    metadata = {name: value for name, value in words.items() if name in places and value is not None}
    spec = {name: value for name, value in words.items() if name not in places}
    return draft_of(session, {"kind": kind.name, "metadata": metadata, "spec": spec})


def revealed(value: Any) -> Any:
    """A program's value as the walk has it: secrets taken from other objects with their text, fractions exact."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, float):
        if not math.isfinite(value):
            raise UsageError(f"{value} is no number of JSON")
        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {name: revealed(member) for name, member in value.items()}
    return [revealed(member) for member in value] if isinstance(value, list | tuple) else value


def _checked(session: Session, source: bytes, called: str, folder: Path, *, lines: bool) -> Draft:
    words = {word.word for kind in session.platform.kinds.values() for word in kind.scope}
    defaults = {**dict.fromkeys(words, _UNSAID), **session.defaults}
    checked = check_file(source, session.platform, defaults)
    wrong = [_placed(each, called, lines=lines) for each in checked.problems if each.severity == "error"]
    if wrong:
        raise _invalid(session, called, wrong)
    document = _only(checked, called)
    scope = tuple(pair for pair in document.scope if pair[1] != _UNSAID)
    kind = session.platform.kinds[document.kind]
    key = Key(session.target, kind.name, scope, document.name)
    return Draft(kind, key, document.spec or {}, document.lifecycle, folder)


def _only(checked: CheckedFile, called: str) -> Any:
    if checked.overlays:
        raise UsageError(f"{called} is an overlay, which changes manifests and is none itself")
    if len(checked.documents) != 1:
        what = f"{called} holds {len(checked.documents) or 'no'} documents, and one is needed"
        raise UsageError(what, fix="hand them over one by one")
    return checked.documents[0]


def _must_be_managed(session: Session, document: Mapping[str, Any]) -> None:
    """What can only be looked at is told as such, and not as a mistake in a manifest."""
    kind = session.platform.kinds.get(str(document.get("kind")))
    if kind is not None and not kind.managed:
        raise NotSupportedError.of(kind, "create")


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_FILE_MAX + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > _FILE_MAX:
        raise UsageError(f"{path} has more than {_FILE_MAX >> 20} MiB")
    return content


def _encoded(document: Mapping[str, Any]) -> bytes:
    """JSON is YAML, and every value of it comes back as it was."""
    try:
        return to_json(revealed(document))
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"the dictionary holds what no JSON value is: {error}", fix="use text, numbers, truth values, lists"
        ) from None


def _placed(problem: Problem, called: str, *, lines: bool) -> Problem:
    where = dataclasses.replace(problem.where, path=called) if lines else Where(called)
    return dataclasses.replace(problem, where=where)


def _invalid(session: Session, called: str, problems: list[Problem]) -> ManifestError:
    first = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    subject = f"{first.subject}: " if first.subject else ""
    error = ManifestError(
        session.redactor.scrub(f"{first.where}: {subject}{first.what}{more}"),
        problems=tuple(problems),
        code=first.code,
        where=first.where,
        why=first.why,
        fix=first.fix,
    )
    for each in problems[:20]:
        fix = f" ({each.fix})" if each.fix else ""
        error.add_note(session.redactor.scrub(f"{each.where}: error[{each.code}]: {each.what}{fix}"))
    return error
