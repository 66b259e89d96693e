"""What a definition lacks: operations without which a promise cannot be given, samples, examples, and good manners.

Called by ``lint-platform`` for a definition that has loaded. Nothing here is a mistake: each line says what is not
there, what cannot be had without it, and what to write. Pure but for the places of words, which are handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from agent.definitions.files import schema_name
from agent.definitions.platform import Kind, Platform
from agent.definitions.promise_words import guesses_by_reason
from agent.definitions.promises import has_spec, promises
from agent.definitions.written import Written
from agent.errors import Problem, Severity, Where

CODE = "definition-incomplete"


@dataclass(frozen=True, slots=True)
class Folder:
    """What else stands in a folder: stems of sample answers, kinds of valid examples, the words at its top.

    ``samples`` are those of extended folders too; ``own_schemas`` the file names of its own schemas.
    """

    path: str
    samples: Collection[str]
    shown: Collection[str]
    invalid: int
    words: Collection[str]
    own_schemas: Mapping[str, Where]
    readme: bool


@dataclass(frozen=True, slots=True)
class _Lack:
    """One thing that some kinds lack: ``word`` is where it would stand."""

    what: str
    why: str
    fix: str | None = None
    word: tuple[str, ...] = ()


def missing(platform: Platform, folder: Folder, written: Written) -> list[Problem]:
    """All that is missing; kinds that lack the same share a line."""
    found = list(_at_top(platform, folder, written))
    found += _grouped(platform, lambda kind: _operations(kind), written)
    found += _grouped(platform, lambda kind: _samples(kind, folder), written)
    found += _grouped(platform, lambda kind: _examples(kind, folder), written)
    found += _silent_members(platform, folder)
    for reason, names in guesses_by_reason(platform).items():
        kind, _, part = names[0].partition(".")
        action = part in platform.kinds[kind].actions
        where = written.of_kind(kind, *(("actions", part) if action else (part,) if part else ("unverified",)))
        why = "it is planned and not applied until `confirmed` of a target names it"
        fix = "see it work, by hand or in a sandbox of the platform; then take the mark away"
        found.append(_problem(where, f"a guess ({reason})", why, fix, subject=", ".join(names), severity="info"))
    return found


def _at_top(platform: Platform, folder: Folder, written: Written) -> Iterator[Problem]:
    top = written.top()
    for word, what, why, fix in _TOP:
        if word not in folder.words:
            yield _problem(top, f"no `{word}`: {what}", why, fix)
    uncounted = [kind.name for kind in platform.kinds.values() if _is_taken_for_whole(kind)]
    if uncounted and "pages" not in folder.words:
        why = "the first answer is taken for the whole list; were it cut, objects would seem to be gone"
        fix = "pages: {by: …} says how it is paged, `complete: false` that it is cut, `pages: none` that it is whole"
        yield _problem(top, "no `pages`", why, fix, subject=", ".join(uncounted))
    statuses = {stem[:3] for stem in folder.samples if stem[:3].isdecimal()}
    if platform.errors.declared and not any(status >= "400" for status in statuses):
        yield _no_sample(top, "an error", "whether `errors` finds code and message is not seen", "404.json")
    if platform.budget.retry_after is not None and "429" not in statuses:
        yield _no_sample(top, "being throttled", "whether `budget.retryAfter` finds the pause is not seen", "429.json")
    if any(scheme.login for scheme in platform.auth) and "login" not in folder.samples:
        yield _no_sample(top, "a login", "whether `token` finds the token is not seen", "login.json")
    if platform.events and not any(stem.partition(".")[0] == "event" for stem in folder.samples):
        yield _no_sample(top, "an event", "whether a rule of `events` takes it is not seen", "event.json")
    if not folder.invalid and any(kind.managed for kind in platform.kinds.values()):
        why = "whether the schemas refuse what the platform would refuse is not seen"
        fix = "examples/invalid/NAME.yaml, which begins with `# expect: CODE LINE:COLUMN`"
        yield _problem(Where(folder.path), "no invalid example", why, fix)
    if not folder.readme:
        why = "nobody reads which API is described, from which page, and what is a guess"
        yield _problem(Where(folder.path), "no README.md", why, None, severity="info")


_TOP = (
    (
        "probe",
        "nothing proves the credential in a pass of reads that all found nothing",
        "a 404 counts as absence only where the credential is proved in the same pass",
        "probe: GET /… that every credential may read",
    ),
    (
        "errors",
        "a 404 counts by its status alone",
        "a proxy's 404 page cannot be told from the platform's own",
        "errors: {message: …} says where an error body keeps its message",
    ),
    (
        "budget",
        "60 calls a minute by courtesy",
        "the limits of the platform are not known, and its headers are not read",
        "budget: {windows: [{requests: …, every: 1m}], headers: {remaining: …, reset: …}}",
    ),
)


def _operations(kind: Kind) -> Iterator[_Lack]:
    """What a kind would need to promise more."""
    if not kind.managed:
        return
    made = promises(kind)
    if kind.get is None and kind.list is not None and kind.list.holds == "summary":
        yield _Lack("no `get`", "the rows of its list are a summary, so drift of the spec is not seen")
    if kind.list is None:
        yield _Lack("no `list`", "objects that nobody declares are not found, and every look is a call an object")
    elif not kind.list.complete:
        yield _Lack("its list is cut", "objects that nobody declares are not found", word=("list", "complete"))
    if made.adopts_by == "nothing" and (kind.list is not None or not kind.unique):
        why = "one that is there already is not recognised, and a lost create asks a person"
        yield _Lack("its name identifies nothing and it has no `mark`", why, "mark: {in: /…, as: 'datakeel.${uid}'}")
    if has_spec(kind) and kind.update is None and kind.apply is None and kind.replace == "never":
        yield _Lack("no `update`", "a change in git is reported and not made", "update, or `replace: deleteFirst`")
    if kind.delete is None:
        yield _Lack("no `delete`", "what leaves git stays on the platform, and is reported as an orphan")


def _samples(kind: Kind, folder: Folder) -> Iterator[_Lack]:
    """The answers that would show a typo in an expression."""
    wanted = [(name, getattr(kind, name) is not None) for name in ("list", "get", "logs", "metrics")]
    wanted.append(("create", kind.create is not None and kind.id is not None))  # the id is taken from its answer
    have = {".".join(stem.split(".")[:2]) for stem in folder.samples}
    lacking = [name for name, needed in wanted if needed and f"{kind.name}.{name}" not in have]
    if lacking:
        operations = ", ".join(f"`{name}`" for name in lacking)
        why = "a typo in an expression on it is a silent null, first met in a pass"
        yield _Lack(f"no sample answer of {operations}", why, f"examples/answers/{{Kind}}.{lacking[0]}.json")


def _examples(kind: Kind, folder: Folder) -> Iterator[_Lack]:
    if kind.managed and kind.name not in folder.shown and schema_name(kind.name) in folder.own_schemas:
        why = "whether its schema takes what the platform takes is not seen"
        yield _Lack("no valid example", why, "a manifest in examples/valid/")


def _silent_members(platform: Platform, folder: Folder) -> Iterator[Problem]:
    for kind in platform.kinds.values():
        where = folder.own_schemas.get(PurePath(kind.schema_path).name) if kind.schema is not None else None
        silent = [name for name, member in _members(kind) if not {"description", "$ref"} & set(member)]
        if where is not None and silent:
            names = ", ".join(f"`{name}`" for name in silent)
            why = "an editor shows a member's description to whoever writes a manifest"
            yield _problem(where, f"no description of {names}", why, None, subject=kind.name, severity="info")


def _members(kind: Kind) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, member in (kind.schema or {}).get("properties", {}).items():
        if isinstance(member, Mapping):
            yield name, member


def _is_taken_for_whole(kind: Kind) -> bool:
    return kind.list is not None and kind.list.pages.by == "none" and kind.list.complete


def _grouped(platform: Platform, lacks: Callable[[Kind], Iterator[_Lack]], written: Written) -> list[Problem]:
    """Kinds that lack the same share a line, at the place of the first."""
    groups: dict[_Lack, list[str]] = {}
    for kind in platform.kinds.values():
        for lack in lacks(kind):
            groups.setdefault(lack, []).append(kind.name)
    return [
        _problem(
            written.of_kind(names[0], *lack.word),
            lack.what,
            lack.why,
            lack.fix.replace("{Kind}", names[0]) if lack.fix else None,
            subject=", ".join(names),
        )
        for lack, names in groups.items()
    ]


def _no_sample(where: Where, of: str, why: str, file: str) -> Problem:
    return _problem(where, f"no sample answer of {of}", why, f"examples/answers/{file}")


def _problem(
    where: Where, what: str, why: str, fix: str | None, *, subject: str | None = None, severity: Severity = "warning"
) -> Problem:
    return Problem(CODE, what, where, subject, None, why, fix, severity)
