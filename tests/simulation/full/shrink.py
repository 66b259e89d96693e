"""A story that fails, as short as it may be: fewer happenings, fewer deaths, plainer ways of the platform.

Delta debugging over happenings (Zeller and Hildebrandt, 2002), then word by word. What is looked for stays the same:
the invariant that the first violation named.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace

from tests.simulation.full.tale import Cell, Happening, Story

Fails = Callable[[Story], bool]


def shrunk(story: Story, fails: Fails, *, tries_max: int = 400) -> Story:
    """The shortest story that was found within so many tries; it fails as the first one did."""
    left = [tries_max]

    def still(shorter: Story) -> bool:
        left[0] -= 1
        return left[0] >= 0 and fails(shorter)

    before = None
    while before != story and left[0] > 0:
        before = story
        story = _fewer_deaths(story, still)
        story = _fewer_happenings(story, still)
        story = _plainer_cell(story, still)
        story = _fewer_files(story, still)
    return story


def _fewer_happenings(story: Story, fails: Fails) -> Story:
    size = max(1, len(story.happenings) // 2)
    while size:
        start = 0
        while start < len(story.happenings):
            *before, last = story.happenings  # what git says in the end is in order
            kept = (*before[:start], *before[start + size :], last)
            shorter = replace(story, happenings=kept)
            if start < len(before) and kept[0].what == "commit" and fails(shorter):
                story = shorter
            else:
                start += size
        size //= 2
    return story


def _fewer_deaths(story: Story, fails: Fails) -> Story:
    for number in range(len(story.deaths), -1, -1):
        shorter = replace(story, deaths=story.deaths[:number])
        if number < len(story.deaths) and fails(shorter):
            story = shorter
    return story


def _plainer_cell(story: Story, fails: Fails) -> Story:
    usual = asdict(Cell())
    for word, value in usual.items():
        if word != "definition" and getattr(story.cell, word) != value:
            plainer = replace(story, cell=replace(story.cell, **{word: value}))
            story = plainer if fails(plainer) else story
    return story


def _fewer_files(story: Story, fails: Fails) -> Story:
    paths = sorted({path for each in story.happenings for path in each.details.get("files", {})})
    for path in paths:
        shorter = replace(story, happenings=tuple(_without(each, path) for each in story.happenings))
        story = shorter if fails(shorter) else story
    return story


def _without(happening: Happening, path: str) -> Happening:
    if "files" not in happening.details:
        return happening
    files = {name: text for name, text in happening.details["files"].items() if name != path}
    return replace(happening, details={"files": files})
