"""Every folder of ``schemas/`` keeps what a platform folder promises: it passes ``lint-platform``, its examples are
there, and what is derived from it is up to date.

Platforms are discovered: a new one is a folder, and no line here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.cli.linting import Lint, lint
from agent.errors import Problem
from tests.platforms.folders import folders, loaded
from tests.platforms.promises_section import PAGE, page, section, written

PLATFORMS = folders()
IDS = [name for name, _ in PLATFORMS]

each_platform = pytest.mark.parametrize(("name", "folder"), PLATFORMS, ids=IDS)


@each_platform
def test_a_definition_loads_and_is_called_like_its_folder(name: str, folder: Path) -> None:
    platform = loaded(name)
    assert platform.api_version == name
    assert folder.name.startswith(platform.name)


@each_platform
def test_a_folder_has_no_mistake(name: str, folder: Path) -> None:
    """Its expressions find something in every sample, its valid examples are clean, the others wrong as announced."""
    found = lint(folder)
    assert [problem for problem in found.problems if problem.severity == "error"] == []
    assert found.samples
    assert found.valid
    assert found.invalid


@each_platform
def test_a_folder_lacks_nothing_that_we_can_give(name: str, folder: Path) -> None:
    """What an API does not have, or its page does not print, may be missing; examples, words and a README may not."""
    said = [problem.what for problem in _lacks(lint(folder))]
    assert [what for what in said if what.startswith(("no valid", "no invalid", "no description", "no README"))] == []


def _lacks(found: Lint) -> list[Problem]:
    return [problem for problem in found.problems if problem.code == "definition-incomplete"]


@each_platform
def test_the_readme_tells_what_the_kinds_promise_today(name: str, folder: Path) -> None:
    readme = (folder / "README.md").read_text(encoding="utf-8")
    derived = written(readme)
    if derived is None:
        pytest.skip("no derived section yet: python -m tests.platforms.promises_section adds one")
    assert derived == section(loaded(name)), "python -m tests.platforms.promises_section brings it up to date"


@each_platform
def test_the_readme_of_all_platforms_names_the_folder(name: str, folder: Path) -> None:
    assert f"({folder.name}/README.md)" in (folder.parent / "README.md").read_text(encoding="utf-8")
    assert f"`{name}`" in (folder.parent / "README.md").read_text(encoding="utf-8")


def test_the_page_of_all_platforms_tells_what_they_promise_today() -> None:
    now = PAGE.read_text(encoding="utf-8")
    assert now == page(), "python -m tests.platforms.promises_section brings it up to date"
