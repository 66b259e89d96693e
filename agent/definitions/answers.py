"""The sample answers of a definition: ``examples/answers/Workflow.list.json``, ``404.json``, …

Read by ``check.py`` when a definition is loaded. They are the answers printed in the platform's API document (or saved
by ``doctor``), and the only thing that shows a typo in an expression before the first pass does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent import yaml_io
from agent.definitions.files import display
from agent.definitions.places import CODE, Faults
from agent.errors import Problem, Where
from agent.model.canonical import from_json

_OF_KIND = re.compile(r"([A-Z][A-Za-z0-9]*)\.([A-Za-z_][A-Za-z0-9_]*)(?:\.[A-Za-z0-9_-]+)?\.(?:json|ya?ml)")
_OF_STATUS = re.compile(r"([1-5][0-9][0-9])(?:\.[A-Za-z0-9_-]+)?\.(?:json|ya?ml)")


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer: its file name, and its body."""

    name: str
    body: Any


@dataclass(slots=True)
class Samples:
    """All sample answers of a definition, by kind and operation and by status."""

    of_kinds: dict[tuple[str, str], list[Sample]] = field(default_factory=dict)
    of_statuses: dict[int, list[Sample]] = field(default_factory=dict)

    def of(self, kind: str, operation: str) -> Sequence[Sample]:
        """The samples of one operation of a kind."""
        return self.of_kinds.get((kind, operation), ())

    def everything(self) -> Iterator[Sample]:
        """All successes."""
        for samples in self.of_kinds.values():
            yield from samples


def read_samples(folders: Sequence[Path], kinds: Mapping[str, object], faults: Faults) -> Samples:
    """The samples of the folders; in the first, the definition's own, a file that belongs to no kind is a mistake."""
    samples = Samples()
    for index, folder in enumerate(folders):
        for path in sorted(folder.glob("*.*")) if folder.is_dir() else ():
            of_kind, of_status = _OF_KIND.fullmatch(path.name), _OF_STATUS.fullmatch(path.name)
            if of_kind and of_kind[1] not in kinds:
                if index == 0:
                    what = f"the sample belongs to no kind: there is no `{of_kind[1]}`"
                    faults.add_located([Problem(CODE, what, Where(display(path)), got=path.name)])
                continue
            if not of_kind and not of_status:
                continue
            sample = _read(path, faults)
            if sample is None:
                continue
            if of_kind:
                samples.of_kinds.setdefault((of_kind[1], of_kind[2]), []).append(sample)
            elif of_status:
                samples.of_statuses.setdefault(int(of_status[1]), []).append(sample)
    return samples


def every_sample(folder: Path, faults: Faults) -> Iterator[tuple[Path, Any]]:
    """All samples of one folder of answers, those too that belong to no operation: file and body."""
    for path in sorted(folder.glob("*.*")) if folder.is_dir() else ():
        if path.suffix in (".json", ".yaml", ".yml") and path.is_file():
            sample = _read(path, faults)
            if sample is not None:
                yield path, sample.body


def names_in(value: Any) -> frozenset[str]:
    """The members of an object, or of the objects in a list."""
    if isinstance(value, Mapping):
        return frozenset(value)
    if isinstance(value, list):
        return frozenset(name for element in value if isinstance(element, Mapping) for name in element)
    return frozenset()


def occurs(pointer: str, value: Any) -> bool:
    """Whether a pointer, perhaps with ``*``, leads anywhere in a value."""
    places = [value]
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        following: list[Any] = []
        for place in places:
            if isinstance(place, Mapping):
                following += place.values() if name == "*" else [place[name]] if name in place else []
            elif isinstance(place, list):
                if name == "*":
                    following += place
                elif name.isdecimal() and int(name) < len(place):
                    following.append(place[int(name)])
        places = following
    return bool(places)


def _read(path: Path, faults: Faults) -> Sample | None:
    shown = display(path)
    try:
        source = path.read_bytes()
        if path.suffix == ".json":
            return Sample(path.name, from_json(source))
    except OSError as error:
        faults.add_located([Problem(CODE, f"cannot be read: {error.strerror or error}", Where(shown))])
        return None
    except RecursionError:
        faults.add_located([Problem(CODE, "the sample is nested too deep", Where(shown))])
        return None
    except ValueError as error:
        line, column = getattr(error, "lineno", None), getattr(error, "colno", None)
        reason = getattr(error, "msg", str(error))
        faults.add_located([Problem(CODE, f"the sample is not JSON: {reason}", Where(shown, line, column))])
        return None
    loaded = yaml_io.load(source, yaml_io.REPLY_BUDGET)
    for problem in loaded.problems:
        if problem.severity == "error":
            where = Where(shown, problem.where.line, problem.where.column)
            faults.add_located([Problem(CODE, f"the sample is not YAML: {problem.what}", where)])
            return None
    return Sample(path.name, loaded.documents[0].value) if loaded.documents else None
