"""What earlier passes know, as far as looking is concerned. Made by ``reconcile/looking``, used by ``observe``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.live.calm import Calm
from agent.live.purpose import Purpose
from agent.model.apart import Apart
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.resource import Absent, Observation


@dataclass(frozen=True, slots=True)
class Memory:
    """What earlier passes know. ``due`` are keys whose content is to be read again; ``tombstones`` when we deleted.

    ``listed`` False: only what needs a look is read, by key; nothing else is told. ``confirmed`` lifts ``unverified``
    of a kind or of its ``get``. ``ids`` are what people call objects that are not ours yet; for ``named`` they wait.
    ``reported`` are keys whose drift was told and is left alone; like what agrees with git they wait to be due.
    ``apart`` tells how what git names and ``rows`` differ; it is found out where nobody has told it.
    ``calm`` remembers which lists need not be judged again; None: all are, as for a person, who does not take our word.
    ``kept`` is what a pass that was cut short had read. ``only``: nothing else is read, needed or not.
    """

    rows: Mapping[Key, InventoryRow]
    tombstones: Mapping[Key, float]
    due: frozenset[Key]
    listed: bool = True
    confirmed: frozenset[str] = frozenset()
    ids: Mapping[Key, str] = field(default_factory=dict)
    named: frozenset[Key] = frozenset()
    reported: frozenset[Key] = frozenset()
    kept: Mapping[Key, Observation] = field(default_factory=dict)
    only: frozenset[Key] | None = None
    apart: Apart | None = None
    calm: Calm | None = None

    def purpose_of(self, key: Key) -> Purpose:
        """What a read of this key is for."""
        merely_old = key in self.due and key in self.rows
        return Purpose.NAMED if key in self.named else Purpose.SWEEP if merely_old else Purpose.READ

    def is_asked(self, key: Key) -> bool:
        """Whether this look is about a key that must be read."""
        return self.only is None or key in self.only

    def absence(self, key: Key) -> Absent | None:
        """What was found deleted, was told, and stays so: not asked for again before it is due."""
        row = self.rows.get(key)
        if row is None or key not in self.reported or key in self.due or row.reported is None or not row.reported.gone:
            return None
        return Absent("get", row.seen_at or 0.0)
