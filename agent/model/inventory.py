"""What we made or adopted, and the proof that it is ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from agent.model.change import FieldChange
from agent.model.identity import Key
from agent.model.resource import Health


class Flap(NamedTuple):
    """Repairs of one leaf: digests of what git asked for and of what was found instead, how often, and when last."""

    asked: str
    found: str
    rounds: int
    at: float


class Reported(NamedTuple):
    """Drift that was told and left alone: the digests of the manifest and of the definition that it was told of.

    ``fields`` are what differed; ``gone`` when it is the object itself that is missing.
    """

    manifest: str
    definition: str
    fields: tuple[FieldChange, ...] = ()
    gone: bool = False


@dataclass(frozen=True, slots=True)
class InventoryRow:
    """One live object that is ours until a proved 404. Times are epoch seconds.

    The leaves that we last applied are kept beside it in the store (``Inventory.applied``) and loaded on demand.
    ``not_kept`` maps a pointer to the digest of the value that the server twice did not keep.
    ``definition`` is the digest of the definition that shaped the last write.
    """

    key: Key
    uid: str
    server_id: str | None = None
    proof: Literal["created", "adopted", "rebuilt"] = "created"
    applied_digest: str | None = None  # Resource.digest at the last write or proved equality
    definition: str | None = None
    in_sync: bool = False
    health: Health = "unknown"
    seen_at: float | None = None  # content read by key
    written_at: float | None = None
    settle_until: float | None = None
    origin_path: str = ""
    origin_line: int = 0
    revision: str = ""
    protect: bool = False
    not_kept: Mapping[str, str] = field(default_factory=dict)
    unkept_once: Mapping[str, str] = field(default_factory=dict)
    listed_as: str | None = None  # what the list said of its revision when the content was read last
    healed_at: float | None = None  # when drift alone was last put back
    flaps: Mapping[str, Flap] = field(default_factory=dict)  # by pointer: leaves that were put back lately
    reported: Reported | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person said of a call whose answer was lost: the object was ``made`` (as ``server_id``), or it was not."""

    op_id: str
    made: bool
    server_id: str | None
    who: str
    at: float


@dataclass(frozen=True, slots=True)
class Intent:
    """A mutating call, durable before its first byte leaves (invariant I11)."""

    op_id: str
    pass_id: str
    key: Key
    action: str  # create | update | delete
    method: str
    path: str  # template, no names
    uid: str
    server_id: str | None
    request_hash: str
    base_hash: str | None
    revision: str
    opened_at: float
    # What the inventory row becomes when the intent is found to have landed:
    applied_digest: str | None = None
    epoch: int = 0
