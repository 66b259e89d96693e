"""Which variables and overlays go into which files of a target, so that a change renders only what uses it.

Made by ``desired``, between listing a revision and checking it. A checked file is known by its *content id*: git's blob
id where nothing goes into it, which is nearly always; else the blob id and a digest of what does: the values of the
variables that it names, the overlays that mean one of its manifests. So the caches need not know of either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from agent.errors import Problem, Where
from agent.model.canonical import digest
from agent.model.manifest import CheckedFile, OverlayHead
from agent.model.rendering import Variables
from agent.source import Source, TreeEntry
from agent.validate.findings import nearest
from agent.validate.overlays import EVERYTHING, Overlay, Selection, described, read_overlay
from agent.validate.rendered import NOTHING, Filler, Inputs
from agent.validate.variables import digest_of, names_in

OVERLAYS_MAX = 10_000
PATTERNS_MAX = 200
"""Overlays of a target, and those among them that select by a pattern: each of these is tried on every manifest."""

Learn = Callable[[Iterable[str]], Mapping[str, CheckedFile]]
Named = tuple[str, tuple[tuple[str, str], ...], str]  # kind, scope, name

_UNREADABLE = frozenset({"merge-conflict", "lfs-pointer", "encrypted", "file-too-big", "more-problems"})


@dataclass(frozen=True, slots=True)
class Placed:
    """An overlay of the revision: its file, the content id of that file, its head."""

    path: str
    content: str
    head: OverlayHead

    @property
    def selection(self) -> Selection:
        return _selection(self.head)


_selection = lru_cache(maxsize=OVERLAYS_MAX)(Selection.of_head)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a content id stands for: the blob, and the overlays that are laid over its manifests, in their order.

    ``values`` are those of the variables, ``below`` is the content that the overlays are laid over.
    """

    blob: str
    values: Mapping[str, Any]
    overlays: tuple[Placed, ...] = ()
    below: str = ""


class Rendering:
    """One target's. ``problems`` are those of the last revision that no file has by itself.

    ``used`` are the variables that its files name, ``unsure`` whether everything is held for an overlay that cannot be
    read: nobody can tell what it was to change.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._recipes: dict[str, Recipe] = {}
        self._values: Mapping[str, Any] = {}
        self._texts: dict[str, bytes] = {}
        self._sound: tuple[Placed, ...] = ()
        self._unsound: tuple[Placed, ...] = ()
        self._kept: tuple[set[str], set[str]] = (set(), set())  # what the last two revisions are made of
        self._naming: set[str] = set()  # blobs that may name variables
        self._holding: set[str] = set()  # contents that hold overlays
        self.problems: tuple[Problem, ...] = ()
        self.used: frozenset[str] = frozenset()
        self.unsure = False

    @property
    def intermediate(self) -> int:
        """How many contents there are, at the most, on the way to those of the revision."""
        return 2 * len(self._recipes)

    def blob_of(self, content: str) -> str:
        recipe = self._recipes.get(content)
        return content if recipe is None else recipe.blob

    def inputs_of(self, content: str) -> Inputs:
        """What goes into the manifests of a file. Raises SourceError where an overlay cannot be read again."""
        recipe = self._recipes.get(content)
        if recipe is None:
            return NOTHING
        self._read(each.content for each in recipe.overlays)
        return Inputs(recipe.values, tuple(self._overlay(each, recipe.values) for each in recipe.overlays))

    def inputs_for(self, path: str, named: Named) -> Inputs:
        """What would go into a manifest of this name in a file that is not there yet. Raises SourceError."""
        meant = [each for each in self._sound if _may_mean(each, path, named)]
        self._read(each.content for each in meant)
        return Inputs(self._values, tuple(self._overlay(each, self._values) for each in meant))

    def needs_no_check(self, content: str, source: bytes) -> CheckedFile | None:
        """For the bare blob of a file that names variables: their names, which is all that can be said of it."""
        names = () if content in self._recipes else names_in(source)
        return CheckedFile((), (), variables=names) if names else None

    def known(self, checked: Mapping[str, CheckedFile]) -> None:
        """Take note of files that were checked or remembered just now."""
        for content, file in checked.items():
            if file.variables and content not in self._recipes:
                self._naming.add(content)
            if file.overlays:
                self._holding.add(content)

    def begin(self, variables: Variables) -> None:
        """A revision into which nothing is rendered, as far as is known."""
        self._values, self.problems, self.unsure = variables.values, (), False
        self._sound = self._unsound = ()
        self.used = frozenset()

    def entries(
        self,
        base: tuple[TreeEntry, ...],
        overlays: tuple[TreeEntry, ...],
        variables: Variables,
        learn: Learn,
        *,
        edited: Sequence[TreeEntry] | None = None,
    ) -> tuple[TreeEntry, ...]:
        """The files of a revision by content id; those that differ from the last one are learnt on the way.

        Only base entries where nothing is rendered: then this costs as much as learning them, or those of them that
        were ``edited`` since the last revision, where that is known.
        """
        self.begin(variables)
        listed = (*base, *overlays) if overlays else base
        unknown = listed if edited is None or overlays or self._naming else edited
        checked = learn(entry.blob for entry in unknown)
        if self._naming:
            listed = tuple(self._with_variables(entry, checked) for entry in listed)
            checked = learn(entry.blob for entry in listed)
            self.used = frozenset(
                name for entry in listed if entry.blob in self._recipes for name in checked[entry.blob].variables
            )
        elif self._holding and unknown is not listed:
            checked = learn(entry.blob for entry in listed)
        problems = list(_misplaced(listed[: len(base)], checked)) if self._holding else []
        if overlays:
            listed = self._with_overlays(listed, len(base), checked, learn, problems)
        self.problems = tuple(problems)
        return listed

    def held(self, path: str, file: CheckedFile) -> CheckedFile:
        """The file without the manifests that an overlay with errors may mean: what they should say is not known."""
        if not self.unsure and not self._unsound:
            return file
        kept, broken = [], list(file.broken)
        for document in file.documents:
            named = (document.kind, document.scope, document.name)
            if self.unsure or any(_may_mean(each, path, named) for each in self._unsound):
                broken.append(named)
            else:
                kept.append(document)
        return replace(file, documents=tuple(kept), broken=tuple(broken))

    def forget(self, contents: Iterable[str]) -> set[str]:
        """Keep what these contents are made of, and those of the revision before; tell all of the former."""
        needed: set[str] = set()
        waiting = list(contents)
        while waiting:
            content = waiting.pop()
            if content and content not in needed:
                needed.add(content)
                recipe = self._recipes.get(content)
                if recipe is not None:
                    waiting += (recipe.blob, recipe.below, *(each.content for each in recipe.overlays))
        if needed != self._kept[1]:  # the revision before may be read still: a proposal is two of them
            self._kept = (self._kept[1], needed)
        kept = self._kept[0] | needed
        self._recipes = {content: recipe for content, recipe in self._recipes.items() if content in kept}
        self._texts = {content: text for content, text in self._texts.items() if content in kept}
        return needed

    def _with_variables(self, entry: TreeEntry, checked: Mapping[str, CheckedFile]) -> TreeEntry:
        if entry.blob not in self._naming:
            return entry
        content = f"{entry.blob}${digest_of(checked[entry.blob].variables, self._values)}"
        self._recipes.setdefault(content, Recipe(entry.blob, self._values))
        return entry._replace(blob=content)

    def _with_overlays(
        self,
        listed: tuple[TreeEntry, ...],
        base: int,
        checked: Mapping[str, CheckedFile],
        learn: Learn,
        problems: list[Problem],
    ) -> tuple[TreeEntry, ...]:
        placed = [
            Placed(entry.path, entry.blob, head) for entry in listed[base:] for head in checked[entry.blob].overlays
        ]
        self.unsure = any(
            problem.severity == "error" and (problem.code.startswith("yaml-") or problem.code in _UNREADABLE)
            for entry in listed[base:]
            for problem in checked[entry.blob].problems
        ) or any(each.head.select == EVERYTHING for each in placed)
        self._unsound = tuple(each for each in placed if not each.head.sound)
        self._sound = sound = tuple(each for each in placed if each.head.sound)
        index = _Index(sound)
        if index.problem is not None:
            problems.append(index.problem)
            self.unsure = True
            return listed
        made, meant = [], {}
        for entry in listed:
            numbers = index.numbers(entry.path, checked[entry.blob])
            if numbers:
                entry, plain = self._laid_over(entry, [sound[number] for number in numbers]), entry
                meant[entry.blob] = (plain, numbers)
            made.append(entry)
        checked = learn(meant)
        changed = {numbers[number] for content, (_, numbers) in meant.items() for number in checked[content].applied}
        if not self.unsure and not any(checked[entry.blob].has_errors for entry in made):
            names = {name for entry in made for _, _, name in _names(checked[entry.blob])}
            problems.extend(_unmatched(each, names) for number, each in enumerate(sound) if number not in changed)
        return tuple(made)

    def _laid_over(self, entry: TreeEntry, overlays: Sequence[Placed]) -> TreeEntry:
        content = f"{entry.blob}+{digest([[each.path, each.head.digest] for each in overlays])}"
        self._recipes[content] = Recipe(self.blob_of(entry.blob), self._values, tuple(overlays), entry.blob)
        return entry._replace(blob=content)

    def _read(self, contents: Iterable[str]) -> None:
        """Have the texts of these overlay files at hand."""
        missing = {self.blob_of(content): content for content in contents if content not in self._texts}
        for blob, text in self._source.read(sorted(missing)) if missing else ():
            self._texts[missing[blob]] = text

    def _overlay(self, each: Placed, values: Mapping[str, Any]) -> Overlay:
        source = self._texts[each.content]
        filler = Filler(source, Inputs(values))
        return read_overlay(each.path, source, each.head.document, filler.filled)


class _Index:
    """Finds the overlays that may mean a manifest: by its name at once, by patterns one after the other."""

    def __init__(self, overlays: Sequence[Placed]) -> None:
        self._overlays = overlays
        self._named: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._loose: list[int] = []
        self.problem: Problem | None = None
        for number, each in enumerate(overlays):
            kinds, names = each.selection.kinds, each.selection.names
            if kinds.is_exact and names.is_exact:
                for kind in kinds.exact:
                    for name in names.exact:
                        self._named[kind, name].append(number)
            else:
                self._loose.append(number)
        if len(overlays) > OVERLAYS_MAX:
            what = f"{len(overlays)} overlays; a target may have {OVERLAYS_MAX:,}"
            self.problem = _too_many(what, overlays[OVERLAYS_MAX])
        elif len(self._loose) > PATTERNS_MAX:
            what = f"{len(self._loose)} overlays do not name the kinds and names that they mean; {PATTERNS_MAX} may"
            self.problem = _too_many(what, overlays[self._loose[PATTERNS_MAX]])

    def numbers(self, path: str, file: CheckedFile) -> list[int]:
        """Which overlays may mean a manifest of the file, in their order."""
        found: set[int] = set()
        if not self._named and not self._loose:
            return []
        for kind, scope, name in _names(file):
            named = self._named.get((kind, name))
            for number in (*named, *self._loose) if named else self._loose:
                if number not in found and _may_mean(self._overlays[number], path, (kind, scope, name)):
                    found.add(number)
        return sorted(found)


def _names(file: CheckedFile) -> Iterator[Named]:
    for document in file.documents:
        yield document.kind, document.scope, document.name
    yield from file.broken


def _may_mean(overlay: Placed, path: str, named: Named) -> bool:
    selection = overlay.selection
    return selection.is_of(path) and selection.may_mean(*named)


def _misplaced(base: Iterable[TreeEntry], checked: Mapping[str, CheckedFile]) -> Iterator[Problem]:
    for entry in base:
        for head in checked[entry.blob].overlays:
            what = "an overlay stands in the folder of the manifests, where nothing is laid over anything"
            fix = "move it to a folder that the target names under `overlays`"
            yield Problem("overlay-misplaced", what, Where(entry.path, head.line, head.column), fix=fix)


def _unmatched(overlay: Placed, names: Iterable[str]) -> Problem:
    what = f"the overlay means no manifest of the target: {described(overlay.head)}"
    where = Where(overlay.path, overlay.head.line, overlay.head.column)
    strange = sorted(overlay.selection.names.exact.difference(names))
    fix = nearest(strange[0], names) if strange else None
    return Problem("overlay-unmatched", what, where, fix=fix or "correct `select`, or remove the overlay")


def _too_many(what: str, overlay: Placed) -> Problem:
    where = Where(overlay.path, overlay.head.line, overlay.head.column)
    return Problem("overlay-limit", what, where, fix="put more into one overlay, or write `kind` and `name` out")
