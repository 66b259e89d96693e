"""Stories in the garden: each is played in one of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.platforms.made_up.scene import Scene, Story
from tests.simulation.places import make_template
from tests.simulation.virtual_time import VirtualLoop, run


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("template"))


@pytest.fixture
def play(tmp_path: Path, template: Path) -> Iterator[Story]:
    """Plays a story in a garden of its own."""

    def played(story: Callable[[Scene], Coroutine[Any, Any, None]]) -> None:
        shutil.copyfile(template, tmp_path / "state.db")
        loop = VirtualLoop()
        scene = Scene(tmp_path, loop)
        try:
            run(story(scene), loop)
        finally:
            scene.store.close()

    yield played
