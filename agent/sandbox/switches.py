"""What an emulated platform may do differently: one flat set of switches, changed at run time by tests or over HTTP.

Where an API page is silent, the default is the plainest behaviour, and the switch lets a test try the other ones.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Switches:
    ready_after: float = 2.0
    """Seconds from a write until `pending` becomes `active`."""
    fail_share: float = 0.0
    """Share of writes whose resource ends as `failed_status` instead."""
    fail_names: tuple[str, ...] = ()
    """Names whose resources always do."""
    failed_status: str = "failed"
    lag: float = 0.0
    """Every read shows the world as it was so many seconds ago."""
    delete_delay: float = 0.0
    """A deleted resource stays readable for so long, with status `deleted`."""
    refuse_dependents: bool = False
    """DELETE answers 409 while another resource names this one."""
    server_tags: bool = False
    """The server adds `dataos:type:…`, `dataos:resource:…`, `dataos:layer:…` and `dataos:workspace:…` to the tags."""
    sort_tags: bool = False
    section_defaults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By type: members that the server fills in below the section where the document leaves them out."""
    force_owner: bool = False
    """`owner` becomes the caller even where the document says another."""
    hide_secrets: bool = False
    """Reads leave out what secrets hold."""
    strict_names: bool = True
    workspaces_must_exist: bool = False
    limit_max: int = 1000
    """Rows a page at most; a larger `limit` is lowered to it."""
    indexing: bool = False
    """A listing of storage answers 200 with `data: null`."""
    log_frames: str = "both"
    """What a WebSocket of logs sends: the members that the `page` prints, those of the vendor's `client`, or `both`."""
    failures_as_200: bool = False
    """A refusal answers 200; its envelope alone says that it failed."""
    tier: str = "pro"
    """By which an organization's calls are limited: `free`, `pro` or `enterprise`."""

    def change(self, changes: Mapping[str, Any]) -> None:
        """Set several by name. ValueError for an unknown name or a value of another type."""
        known = {each.name for each in dataclasses.fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"no switch is named {name!r}; there are {', '.join(sorted(known))}")
            present = getattr(self, name)
            if isinstance(present, tuple) and isinstance(value, list):
                value = tuple(value)
            elif isinstance(present, float) and isinstance(value, int) and not isinstance(value, bool):
                value = float(value)
            if not isinstance(value, type(present)) or (isinstance(value, bool) and not isinstance(present, bool)):
                raise ValueError(f"switch {name!r} takes {type(present).__name__}, not {type(value).__name__}")
            setattr(self, name, value)

    def shown(self) -> dict[str, Any]:
        return dataclasses.asdict(self)
