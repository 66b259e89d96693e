"""All wrong agents, those that are not wrong where they are played, and what is on record of each."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.sabotage import (
    absence,
    answers,
    budget,
    content,
    elsewhere,
    journal,
    limits,
    ownership,
    replicas,
    tales,
)
from tests.simulation.sabotage.variant import Variant

RECORD = Path(__file__).with_name("caught.csv")
WITHIN = 100
"""Seeds within which each variant is caught."""
VARIANTS: tuple[Variant, ...] = (
    *journal.VARIANTS,
    *answers.VARIANTS,
    *absence.VARIANTS,
    *ownership.VARIANTS,
    *limits.VARIANTS,
    *budget.VARIANTS,
    *content.VARIANTS,
    *replicas.VARIANTS,
    *elsewhere.VARIANTS,
)
CONTROLS: tuple[Variant, ...] = (
    *answers.CONTROLS,
    *absence.CONTROLS,
    *budget.CONTROLS,
    *replicas.CONTROLS,
    *elsewhere.CONTROLS,
    *(Variant(f"nothing is wrong: {tale.name}", "journal", "nothing", tale, None) for tale in tales.TALES),
)


@dataclass(frozen=True)
class Caught:
    """``first`` is the first seed that catches a variant, ``share`` how many of how many seeds do, "" if uncounted."""

    variant: str
    family: str
    tale: str
    invariant: str
    first: int
    share: str


def recorded() -> dict[str, Caught]:
    if not RECORD.exists():
        return {}
    with RECORD.open(encoding="utf-8", newline="") as file:
        rows = [Caught(*words, int(first), share) for *words, first, share in list(csv.reader(file))[1:]]
    return {row.variant: row for row in rows}


def record(caught: Iterable[Caught]) -> None:
    with RECORD.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("variant", "family", "tale", "invariant", "first seed", "share"))
        writer.writerows((c.variant, c.family, c.tale, c.invariant, c.first, c.share) for c in caught)
