"""A resource of the emulated DataOS: as it was written, as it is kept, and as reads show it.

A read shows the attributes that every type has at the top and everything else, its type's section first of all, under
`spec`, as the page's GET example does. Members beyond that example (owner, layer, created) follow the vendor's
published attributes. Encoded once a write, for reads are what a sandbox is asked for most.
Used by :mod:`agent.sandbox.dataos_state` and both faces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.sandbox.clock import moment
from agent.sandbox.messages import json_bytes
from agent.sandbox.storage import Key
from agent.sandbox.switches import Switches

_SHOWN_FIRST = ("name", "version", "type", "workspace", "tags", "description", "owner", "layer")
SERVER_SET = frozenset({"status", "created", "runtime"})
_TOP = frozenset(_SHOWN_FIRST) | SERVER_SET


@dataclass(slots=True)
class Document:
    """`written` is complete: with name, type, owner, layer and, where the type has one, workspace."""

    key: Key
    written: dict[str, Any]
    created: float
    changed: float
    ready_at: float
    outcome: str
    """Status from `ready_at` on."""
    gone_at: float | None = None
    """Set by a delete that takes its time."""
    _head: bytes = field(init=False, repr=False)
    _tail: bytes = field(init=False, repr=False)
    _row_head: bytes = field(init=False, repr=False)
    _row_tail: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        top = {word: self.written[word] for word in _SHOWN_FIRST if word in self.written}
        row = {word: top[word] for word in ("name", "version", "type", "workspace") if word in top}
        created = b'","created":"' + moment(self.created).encode() + b'"'
        self._head = json_bytes(top)[:-1] + b',"status":"'
        self._tail = created + b',"spec":' + json_bytes(self.sections()) + b"}"
        self._row_head = json_bytes(row)[:-1] + b',"status":"'
        self._row_tail = created + b"}"

    @property
    def type(self) -> str:
        return self.key[1]

    @property
    def workspace(self) -> str | None:
        return self.key[2] or None

    @property
    def name(self) -> str:
        return self.key[3]

    def status(self, at: float) -> str:
        if self.gone_at is not None:
            return "deleted"
        return self.outcome if at >= self.ready_at else "pending"

    def encoded(self, at: float) -> bytes:
        """The answer to GET, as bytes."""
        return self._head + self.status(at).encode() + self._tail

    def row(self, at: float) -> bytes:
        """The row of a list: the six members that the page prints, no spec."""
        return self._row_head + self.status(at).encode() + self._row_tail

    def shown(self, at: float) -> dict[str, Any]:
        """The answer to GET, as a mapping."""
        top = {word: self.written[word] for word in _SHOWN_FIRST if word in self.written}
        return {**top, "status": self.status(at), "created": moment(self.created), "spec": self.sections()}

    def record(self) -> dict[str, Any]:
        return {
            "written": self.written,
            "created": self.created,
            "changed": self.changed,
            "ready_at": self.ready_at,
            "outcome": self.outcome,
            "gone_at": self.gone_at,
        }

    def sections(self) -> dict[str, Any]:
        """Everything but the attributes that every type has: its own section, and whatever else was written."""
        return {word: value for word, value in self.written.items() if word not in _TOP}


def accepted(document: Document) -> dict[str, Any]:
    """What POST says of the new resource: four members, always pending."""
    return {word: document.written[word] for word in ("name", "version", "type")} | {"status": "pending"}


def complete(body: Mapping[str, Any], workspace: str | None, caller: str, switches: Switches) -> dict[str, Any]:
    """The document that the server keeps: what was written, less what only the server sets, plus what it adds."""
    written = {word: value for word, value in body.items() if word not in SERVER_SET and value is not None}
    written.pop("workspace", None)
    if workspace is not None:
        written["workspace"] = workspace
    if switches.force_owner or not written.get("owner"):
        written["owner"] = caller
    written.setdefault("layer", "user")
    type_name = written["type"]
    if switches.server_tags:
        tags = list(written.get("tags", []))
        # As `dataos-ctl resource get -d` prints them.
        added = ["dataos:type:resource", f"dataos:resource:{type_name}", f"dataos:layer:{written['layer']}"]
        if workspace is not None:
            added.append(f"dataos:workspace:{workspace}")
        written["tags"] = tags + [tag for tag in added if tag not in tags]
    if switches.sort_tags and "tags" in written:
        written["tags"] = sorted(written["tags"])
    if type_name in switches.section_defaults and isinstance(written.get(type_name), dict):
        written[type_name] = _filled(written[type_name], switches.section_defaults[type_name])
    return written


def _filled(section: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    filled = dict(section)
    for word, value in defaults.items():
        if word not in filled:
            filled[word] = value
        elif isinstance(filled[word], dict) and isinstance(value, Mapping):
            filled[word] = _filled(filled[word], value)
    return filled
