"""A process that dies at any effect of a manifest's life leaves nothing behind that the next one does not mend.

Kinds whose changes go an unusual way, and one ordinary kind of each platform, with a part of all deaths. All kinds,
each effect, and second deaths: ``python -m tests.platforms.conformance --deaths``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platforms.conformance.deaths import chapters_of, is_unusual, sweep
from tests.platforms.conformance.examples import Example, document_of, examples_of_kinds, files_of, secret_names
from tests.simulation.places import make_template, memory_folder


def _some() -> list[Example]:
    """Of each platform one example of each unusual way, and the ordinary one of which most can be told."""
    found: dict[tuple[object, ...], Example] = {}
    for example in sorted(examples_of_kinds(), key=lambda each: -len(chapters_of(each, document_of(each)))):
        kind = example.kind
        way: tuple[object, ...] = ("ordinary", bool(secret_names(document_of(example))))
        if is_unusual(example):
            careful = kind.delete is None or kind.delete.careful is not None
            files = bool(files_of(example, document_of(example)))
            way = (kind.is_run, kind.apply is None, kind.gone is None, kind.unique, careful, files)
        found.setdefault((example.definition, *way), example)
    return list(found.values())


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=memory_folder()) as name:
        make_template(Path(name))
        yield Path(name)


@pytest.mark.parametrize("example", _some(), ids=str)
def test_a_death_changes_nothing_of_the_end(example: Example, folder: Path) -> None:
    swept = sweep(example, folder, folder / "template.db", every=20)
    assert swept.violations == []
    assert swept.kills >= 2
