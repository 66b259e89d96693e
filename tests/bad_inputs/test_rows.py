"""The rows of the design's list of bad inputs are numbered 1 to 202, and each has a test here."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).parent
NUMBERED = set(range(1, 203))

# What the rows below ask for does not exist yet.
LATER: dict[int, str] = {
    175: "a forge's own webhooks: issue 6",
    180: "pages: issue 6; what a page would show is escaped in every output of today, which is shown",
    181: "pages, with routes that change something: issue 6",
    182: "metrics of the agent itself: issue 6",
}


def modules() -> list[ModuleType]:
    names = sorted(path.stem for path in HERE.glob("test_*.py") if path.stem != "test_rows")
    return [import_module(f"tests.bad_inputs.{name}") for name in names]


def shown_by(module: ModuleType) -> Iterator[int]:
    """Rows of the module's tables of cases, and of its tests that say what they show."""
    for name, value in vars(module).items():
        if name.startswith("test_"):
            yield from getattr(value, "rows", ())
        elif name.isupper() and isinstance(value, tuple):
            for case in value:
                row = case[0] if isinstance(case, tuple) else getattr(case, "row", None)
                if isinstance(row, int):
                    yield row


def test_every_row_has_a_test_or_an_issue() -> None:
    shown = {row for module in modules() for row in shown_by(module)}
    assert sorted(NUMBERED - shown - set(LATER)) == []
    assert sorted(shown & set(LATER)) == [], "a row is shown now: strike it from LATER"
    assert sorted(shown - NUMBERED) == []
