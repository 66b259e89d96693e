"""Rows of the design's list: how a test says which ones it shows, and how a wrong manifest is written down."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from tests.bad_inputs.bench import NEIGHBOUR, Bench, Benches, Ran, place_of

_Test = TypeVar("_Test", bound=Callable[..., object])


def shows(*numbers: int) -> Callable[[_Test], _Test]:
    """Marks a test with the rows that it shows; a test over cases shows the rows of its cases besides."""

    def mark(test: _Test) -> _Test:
        test.rows = numbers  # type: ignore[attr-defined]
        return test

    return mark


@dataclass(frozen=True, slots=True)
class Wrong:
    """One wrong file among manifests: what is told of it, and where. ``line`` 0: of the file as a whole."""

    row: int
    name: str
    source: bytes
    code: str
    line: int
    column: int
    severity: str = "error"
    says: str = ""

    @property
    def path(self) -> str:
        return f"manifests/{self.row}-{self.name.replace(' ', '-')}.yaml"

    @property
    def id(self) -> str:
        return f"{self.row} {self.name}"


def wrong(
    row: int,
    name: str,
    source: str | bytes,
    code: str,
    at: tuple[int, int] | None = None,
    *,
    severity: str = "error",
    says: str = "",
) -> Wrong:
    """A case; the place is ``at``, or where ``‸`` stands in the text, or none. ``says``: part of what is told."""
    if isinstance(source, str):
        at = at or place_of(source)
        source = source.replace("‸", "").encode()
    line, column = at or (0, 0)
    return Wrong(row, name, source, code, line, column, severity, says)


class Runs:
    """`diff -o json` over wrong files beside a good neighbour, run when asked for: one process for all that are errors,
    one for all that are none. What all of them take together, each of them takes at most."""

    def __init__(self, benches: Benches, cases: Iterable[Wrong]) -> None:
        self._benches = benches
        self._cases = tuple(cases)
        self._of = cache(self._run)

    def of(self, case: Wrong) -> Ran:
        """The run in which the case was, sound."""
        return self._of(case.severity == "error").sound(3 if case.severity == "error" else 0)

    def _run(self, errors: bool) -> Ran:
        bench = self._benches.new()
        fill(bench, [case for case in self._cases if (case.severity == "error") is errors])
        return bench.run("diff", "-o", "json")


def fill(bench: Bench, cases: Iterable[Wrong], neighbour: str = "neighbour") -> None:
    for case in cases:
        bench.write(case.path, case.source)
    bench.write("manifests/good.yaml", NEIGHBOUR.replace("neighbour", neighbour))


def places(problem: dict[str, Any]) -> list[dict[str, Any]]:
    return [problem, *problem.get("also", ())]


def assert_told(case: Wrong, problems: Iterable[dict[str, Any]]) -> None:
    """The case's file has its problem at its place, be it the one place or one of several."""
    of_file = [each for each in problems if case.path in [place.get("path") for place in places(each)]]
    found = [
        each
        for each in of_file
        if (each["severity"], each["code"]) == (case.severity, case.code)
        and (case.path, case.line, case.column)
        in [(place.get("path"), place.get("line") or 0, place.get("column") or 0) for place in places(each)]
    ]
    assert found, f"{case.severity}[{case.code}] at {case.line}:{case.column} is not among {of_file}"
    told = " ".join(str(each.get(part, "")) for each in found for part in ("what", "got", "why", "fix"))
    assert case.says in told, told
    assert all("\n" not in str(each["what"]) for each in found)
