"""One platform folder, looked at from all sides: what ``lint-platform`` and the tests of the bundled folders do.

A definition that does not load is told with all its mistakes, and nothing more is asked of it. One that loads is tried
on its sample answers and its examples, and then what it lacks is told. Reads the folder and those that it extends.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.definitions.answers import every_sample
from agent.definitions.barren import barren
from agent.definitions.files import DEFINITION, SCHEMA_SUFFIX, available, bundled_schemas, definition_folders, display
from agent.definitions.load import load_folder
from agent.definitions.missing import Folder, missing
from agent.definitions.places import CODE, Faults
from agent.definitions.platform import Kind, Platform
from agent.definitions.promises import guesses as guesses_of
from agent.definitions.written import Written, chain_of
from agent.drafting.edits import standing
from agent.errors import DefinitionError, Problem, UsageError, Where
from agent.report.escape import clean
from agent.report.problems import sorted_problems
from agent.validate.examples import CODE as EXAMPLE
from agent.validate.examples import ENDINGS, check_example, faults_of_invalid, faults_of_valid

_SURE = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Todo:
    """One thing that nobody has confirmed: a guess as it was drafted (``sure`` says how much so), or a mark."""

    where: Where
    sure: str
    subject: str
    what: str


@dataclass(frozen=True, slots=True)
class Lint:
    """What was found; ``platform`` is None when the definition does not load. The numbers are of what was tried."""

    folder: str
    platform: Platform | None
    problems: tuple[Problem, ...]
    samples: int = 0
    valid: int = 0
    invalid: int = 0
    todo: tuple[Todo, ...] = ()

    @property
    def clean(self) -> bool:
        return not any(problem.severity == "error" for problem in self.problems)


def lint(folder: Path, schemas: Sequence[Path] = ()) -> Lint:
    """Everything that can be said of a platform folder. ``schemas`` are where ``extends`` looks, besides beside it."""
    _refuse_other_folders(folder)
    shown = display(folder)
    bundled = folder.resolve().parent == bundled_schemas().resolve()
    search = [*schemas, *([] if bundled else [folder.resolve().parent])]
    try:
        platform = load_folder(folder, bundled=bundled, search=search)
    except DefinitionError as error:
        return Lint(shown, None, tuple(sorted_problems(error.problems or (error.as_problem(),))))
    written = Written(folder)
    chain = chain_of(folder, search)
    problems = list(_taken_name(platform, bundled, written))
    stems, faults = _of_samples(folder, platform, written)
    problems += faults
    valid, invalid = _examples(folder / "examples" / "valid"), _examples(folder / "examples" / "invalid")
    shown_kinds: set[str] = set()
    for path, source in _read(valid, problems):
        problems += faults_of_valid(display(path), source, platform)
        shown_kinds |= {document.kind for document in check_example(source, platform).documents}
    for path, source in _read(invalid, problems):
        problems += faults_of_invalid(display(path), source, platform)
    inherited = {path.stem for above in chain[1:] for path in (above / "examples" / "answers").glob("*.*")}
    around = Folder(
        path=shown,
        samples={*stems, *inherited},
        shown=shown_kinds,
        invalid=len(invalid),
        words=frozenset[str]().union(*(Written(one).words for one in chain)),
        own_schemas={path.name: Where(display(path), 1, 1) for path in folder.glob(f"*{SCHEMA_SUFFIX}")},
        readme=(folder / "README.md").is_file(),
    )
    problems += missing(platform, around, written)
    counts = (len(stems), len(valid), len(invalid))
    return Lint(
        shown, platform, tuple(sorted_problems(problems)), *counts, tuple(_todo(folder, platform, around, written))
    )


def _todo(folder: Path, platform: Platform, around: Folder, written: Written) -> Iterator[Todo]:
    """What is to be confirmed, the least sure first: guesses as drafted, marks, kinds that nobody has seen."""
    path = folder / DEFINITION
    alike: dict[tuple[str, str, str], list[Where]] = {}
    for one in standing(path.read_text(encoding="utf-8")):
        where = Where(display(path), one.line, one.column)
        alike.setdefault((one.confidence, one.kind or "", one.reason), []).append(where)
    for (sure, kind, reason), places in sorted(alike.items(), key=lambda each: _SURE.index(each[0][0])):
        more = f" (and in {len(places) - 1} more lines below)" if len(places) > 1 else ""
        yield Todo(places[0], sure, kind, reason + more)
    for name, reason in (guess for kind in platform.kinds.values() for guess in guesses_of(kind)):
        kind, _, part = name.partition(".")
        words = ("actions", part) if part in platform.kinds[kind].actions else (part,) if part else ()
        yield Todo(written.of_kind(kind, *words, "unverified"), "mark", name, f"unverified: {reason}")
    unseen = [name for name, one in platform.kinds.items() if not _is_seen(one, around.samples)]
    if unseen:
        what = "no answer of it was seen: examples/answers/{Kind}.list.json or {Kind}.get.json"
        yield Todo(written.of_kind(unseen[0]), "unseen", ", ".join(unseen), what.replace("{Kind}", unseen[0]))


def _is_seen(kind: Kind, samples: Collection[str]) -> bool:
    return any(f"{kind.name}.{word}" in samples for word in ("list", "get"))


def _refuse_other_folders(folder: Path) -> None:
    """A folder that holds definitions, or nothing, is not one: a mistake of whoever typed it."""
    name = clean(str(folder), 200)
    if not folder.is_dir():
        what = f"{name} is a file" if folder.exists() else f"there is no folder {name}"
        raise UsageError(what, fix=f"name the folder that {DEFINITION} stands in")
    if (folder / DEFINITION).is_file():
        return
    inside = definition_folders(folder)
    fix = f"one of: {', '.join(clean(str(one), 80) for one in inside[:5])}" if inside else None
    raise UsageError(f"{name} holds no {DEFINITION}", fix=fix or "datakeel explain definition-invalid")


def _taken_name(platform: Platform, bundled: bool, written: Written) -> Iterator[Problem]:
    if platform.api_version in available() and not bundled:
        what = f"`{platform.api_version}` is the name of a definition that travels with datakeel"
        why = "with two definitions of one name nobody could tell which one a manifest meets"
        fix = f"choose another name; to differ in a few words, say `extends: {platform.api_version}`"
        yield Problem(CODE, what, written.top("platform"), got=platform.name, why=why, fix=fix)


def _of_samples(folder: Path, platform: Platform, written: Written) -> tuple[list[str], list[Problem]]:
    """The stems of the folder's samples, and the expressions that find nothing in them."""
    faults = Faults()
    stems, found = [], []
    for path, body in every_sample(folder / "examples" / "answers", faults):
        stems.append(path.stem)
        for one in barren(platform, path.stem, body):
            where = written.of_kind(one.kind, *one.words) if one.kind else written.top(*one.words)
            word = ".".join(one.words)
            what = f"`{word}` finds nothing in the sample {path.name}"
            why = "a sample shows what is there; an answer in which it is rightly missing belongs under another name"
            found.append(Problem(CODE, what, where, one.kind, one.source, why, also=(Where(display(path)),)))
    return stems, [*faults.problems(), *dict.fromkeys(found)]


def _examples(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.suffix in ENDINGS and path.is_file())


def _read(paths: Sequence[Path], problems: list[Problem]) -> Iterator[tuple[Path, bytes]]:
    """Each file with its bytes; one that cannot be read is told."""
    for path in paths:
        try:
            source = path.read_bytes()
        except OSError as error:
            problems.append(Problem(EXAMPLE, f"cannot be read: {error.strerror or error}", Where(display(path))))
            continue
        yield path, source
