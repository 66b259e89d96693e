"""Runs lives and scenes, and says which of them an example goes through."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path

from tests.platforms.conformance import adoption, imports, lies, life, losses
from tests.platforms.conformance.derived import exemption
from tests.platforms.conformance.emulated import BETWEEN_PASSES, Emulated, Fell
from tests.platforms.conformance.examples import Example
from tests.platforms.conformance.wire import Sent
from tests.simulation.virtual_time import VirtualLoop, run

SCENES: Mapping[str, Callable[[Emulated, Sent], Awaitable[None]]] = {
    "adopt": adoption.adopt,
    "differs": adoption.differs,
    "fixed": adoption.fixed,
    "owned": adoption.owned,
    "exists": adoption.exists,
    "import": imports.imported,
    "lost": losses.lost,
    "unsent": losses.unsent,
    "late": losses.late,
    "lag": losses.lag,
    "short": lies.short,
    "lies": lies.lies,
}
STAGES = (*life.STAGES, *SCENES)


def stages_of(example: Example) -> tuple[str, ...]:
    """The stages that an example goes through."""
    return tuple(stage for stage in STAGES if not exemption(example, stage))


def lacking(example: Example, stage: str) -> str:
    """What the engine cannot do yet, as ``conformance.yaml`` tells; "" where it can."""
    told: str = example.known.get("lacks", {}).get(example.name, {}).get(stage, "")
    return told


def first_of_each_kind(examples: Iterable[Example]) -> list[Example]:
    """One example a kind is enough for the scenes: faults do not look at what a manifest says. The plainest one leads:
    that which nothing is lacking for, and which was named after its kind."""
    found: dict[tuple[str, str], Example] = {}
    for example in sorted(examples, key=lambda each: (each.name in each.known.get("lacks", {}), len(each.name))):
        found.setdefault((example.definition, example.kind_name), example)
    return list(found.values())


def live_through(example: Example, folder: Path, template: Path) -> dict[str, str]:
    """All stages of a life, in one world and a virtual hour or two: stage -> "" when it ended well, else how it fell.

    Stages after a fall that nothing can follow are not in it.
    """
    loop = VirtualLoop()
    at = Emulated(example, folder, template, loop)
    try:
        return run(_live(life.Life(at)), loop)
    finally:
        at.close()


def made_by(example: Example, folder: Path, template: Path) -> Sent:
    """The request by which the agent makes the example: what a person may send too, and what faults are aimed at."""
    loop = VirtualLoop()
    at = Emulated(example, folder, template, loop)

    async def story() -> Sent:
        first = life.Life(at)
        await first.create()
        assert first.created is not None
        return first.created

    try:
        return run(story(), loop)
    finally:
        at.close()


def play(scene: str, example: Example, created: Sent, folder: Path, template: Path) -> str:
    """One scene in a world of its own; how it fell, or ""."""
    loop = VirtualLoop()
    at = Emulated(example, folder, template, loop)

    async def story() -> None:
        await SCENES[scene](at, created)

    try:
        run(story(), loop)
    except Exception as fall:
        return _how(fall)
    finally:
        at.close()
    return ""


async def _live(each: life.Life) -> dict[str, str]:
    stages: dict[str, str] = {}
    for stage in life.STAGES:
        if exemption(each.at.example, stage):
            continue
        try:
            await getattr(each, stage)()
            stages[stage] = ""
        except Exception as fall:
            stages[stage] = _how(fall)
            if stage in life.ENDS_WITH:
                return stages
        await each.at.clock.sleep(BETWEEN_PASSES)
    return stages


def _how(fall: Exception) -> str:
    """A fall in its own words; anything else is a crash, which is one too."""
    return str(fall) if isinstance(fall, Fell) else f"crashed: {type(fall).__name__}: {fall}"
