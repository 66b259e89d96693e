"""Plays a wrong agent over seeds until the judge names what is wrong."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.simulation.full import play as whole
from tests.simulation.full.store import FailingStore, copy_of
from tests.simulation.kill import MortalStore
from tests.simulation.sabotage import stores
from tests.simulation.sabotage.cells import Endless
from tests.simulation.sabotage.swap import swapped
from tests.simulation.sabotage.variant import Variant, WholeTale
from tests.simulation.story import tell


@dataclass
class Played:
    """What came of a variant. ``first`` is the seed that first caught it; ``ran`` whether its wrong part ever ran."""

    name: str
    played: int = 0
    caught: int = 0
    first: int | None = None
    ran: bool = False
    told: str = ""
    others: Counter[str] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        return self.caught / self.played if self.played else 0.0


def one(variant: Variant, seed: int, folder: Path, template: Path) -> tuple[list[str], bool]:
    """The violations of one story, and whether what is wrong was used in it."""
    place = Path(tempfile.mkdtemp(dir=folder))
    try:
        with swapped(variant.swaps) as ran:
            violations = _violations(variant, seed, place, template)
        return violations, _ran(ran)
    except Endless as endless:
        return [f"I8: {endless}"], _ran(ran)
    finally:
        shutil.rmtree(place)


def _violations(variant: Variant, seed: int, place: Path, template: Path) -> list[str]:
    tale = variant.tale
    if isinstance(tale, WholeTale):
        parts = replace(variant.parts, store=stores.over(FailingStore, variant.store))
        try:
            return whole.tell(tale.draw(seed), place, copy_of(template), parts=parts, keep=False).violations
        except Exception as error:
            return [f"crash: {type(error).__name__}: {error}"]
    return tell(
        seed,
        place,
        kill_at=tale.kill_at(seed),
        template=template,
        happenings=tale.draw(seed),
        store=stores.over(MortalStore, variant.store),
        cell=variant.cell or tale.cell,
    ).violations


def _ran(calls: Counter[str]) -> bool:
    """Whether every wrong part was used. Raises LookupError for one that does not fit the agent any more."""
    unfit = [place for place, number in calls.items() if number < 0]
    if unfit:
        raise LookupError(f"the replacement of {unfit[0]} does not fit it any more")
    return all(calls.values())


def play(variant: Variant, seeds: range, folder: Path, template: Path, *, stop: bool) -> Played:
    """Over ``seeds``; with ``stop`` until it is caught."""
    played = Played(variant.name)
    for seed in seeds:
        violations, ran = one(variant, seed, folder, template)
        played.played += 1
        played.ran = played.ran or ran
        found = [each for each in violations if each.partition(":")[0] == variant.caught_by]
        played.others.update({each.partition(":")[0] for each in violations} - {variant.caught_by})
        if variant.caught_by is None and violations:
            found = violations  # a control that is not harmless after all
        if found:
            played.caught += 1
            if played.first is None:
                played.first, played.told = seed, found[0]
            if stop:
                break
    return played
