"""Stories of the full fault model in which a guard matters: drawn as all of those are, with one thing in each."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from tests.simulation.full.draw import draw_story
from tests.simulation.full.tale import Happening, Story
from tests.simulation.sabotage.variant import WholeTale

Change = Callable[[Story, random.Random], Story]


def as_drawn(story: Story, chance: random.Random) -> Story:
    return story


def whole(definition: str, what: str = "", change: Change = as_drawn) -> WholeTale:
    def draw(seed: int) -> Story:
        name = f"{definition} {what}".strip()
        return change(draw_story(seed, definition), random.Random(f"{name}/{seed}"))

    return WholeTale(f"{definition} {what}".strip(), draw)


def _with(story: Story, *happenings: Happening) -> Story:
    return replace(story, happenings=tuple(sorted((*story.happenings, *happenings), key=lambda each: each.at)))


def neighbours(story: Story, chance: random.Random) -> Story:
    """Another installation looks after the same manifests, under another name."""
    return replace(story, cell=replace(story.cell, neighbour=True, windows=(), lag=0.0))


def second(story: Story, chance: random.Random) -> Story:
    """Somebody starts the agent a second time."""
    return _with(story, Happening(chance.uniform(1.0, 60.0), "second", {"calls": 10, "later": 40.0}))


def dying(story: Story, chance: random.Random) -> Story:
    """Reads are behind, and processes die while they are."""
    deaths = tuple(chance.randint(3, 40) for _ in range(3))
    return replace(story, cell=replace(story.cell, lag=3.0, latency=0.2), deaths=deaths)


def standing(story: Story, chance: random.Random) -> Story:
    """The machine stands still between an intent and its call, and the process dies while that is under way."""
    troubles = []
    for number in range(4):
        at = 10.0 + 50.0 * number + chance.uniform(0.0, 20.0)
        method = chance.choice(("POST", "PUT", "DELETE"))
        troubles += [
            Happening(at, "freeze", {"seconds": 45.0, "point": "committed intent"}),
            Happening(at, "doom", {"point": f"flight {method}", "after": ""}),
        ]
    return replace(_with(story, *troubles), cell=replace(story.cell, latency=2.0, neighbour=False, windows=()))


def tight(story: Story, chance: random.Random) -> Story:
    """Small windows, and processes that die while they spend them."""
    deaths = tuple(chance.randint(3, 30) for _ in range(6))
    calm = tuple(each for each in story.happenings if each.what not in ("quota", "fault", "lie", "restart", "outage"))
    return replace(
        story,
        cell=replace(story.cell, windows=((30, 60.0), (90, 900.0)), neighbour=False),
        happenings=calm,
        deaths=deaths,
    )


def steps(story: Story, chance: random.Random) -> Story:
    """The wall clock jumps, more than once, while small windows are spent."""
    jumps = [
        Happening(chance.uniform(0.5, 90.0), "clock", {"ahead": chance.choice((-3600.0, 3600.0))}) for _ in range(3)
    ]
    return replace(_with(tight(story, chance), *jumps), deaths=())
