"""What a plan stands on besides desired and observed, and how git and live are held side by side. Pure.

Assembled by ``reconcile/once``; applying compares through it too, so that both see the same difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.definitions.platform import Kind, Platform
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.resource import Resource
from agent.plan.compare import Comparison, compare
from agent.plan.elsewhere import Wires, described, named
from agent.plan.normalize import fingerprinted, live_spec
from agent.plan.policy import Policy
from agent.plan.rules import RuleBooks, Types
from agent.plan.runs import compare_run, content_of

PREDECESSOR = "predecessor"
"""In an applied document: the id of the object that this one replaces and that is not proved gone yet."""


@dataclass(frozen=True, slots=True)
class Ground:
    """``applied`` holds, for the keys that were read, the document that the last write left behind: ``spec`` (its
    secrets as fingerprints), ``depends_on``, and ``wires`` where a leaf travelled in another form. ``references`` says
    what such leaves of a resource stand for now. ``fingerprint`` turns a secret leaf as written (a value or a
    ``secretRef``) into its keyed hash. ``deciding`` are keys whose last write is still in doubt.
    """

    platform: Platform
    books: RuleBooks
    policy: Policy
    rows: Mapping[Key, InventoryRow]
    applied: Mapping[Key, Mapping[str, Any]]
    types: Callable[[Kind], Types | None]
    fingerprint: Callable[[Any], str]
    deciding: Mapping[Key, str]
    now: float
    references: Mapping[Key, Wires] = field(default_factory=dict)

    def written(self, resource: Resource) -> Mapping[str, Any]:
        """What git says, as it is compared and stored: files as path and content, secrets as fingerprints."""
        book = self.books.of(resource.key)
        spec: Mapping[str, Any] = fingerprinted(
            book, described(book, resource.read(), resource.files), self.fingerprint
        )
        return spec

    def seen(self, key: Key, live: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the platform says, in the same form."""
        book = self.books.of(key)
        spec = live_spec(book, live)
        if book.elsewhere:
            spec = dict(named(book, spec, self._wires(key)))
        shown: Mapping[str, Any] = fingerprinted(book, spec, self.fingerprint)
        return shown

    def compared(
        self,
        resource: Resource,
        applied: Mapping[str, Any] | None,
        live: Mapping[str, Any] | None,
        row: InventoryRow | None,
    ) -> Comparison:
        """Git against live. ``applied`` is the spec that the last write left, None when we never wrote the object.

        ``live`` is None for a run that is not listed any more. Raises ConfigError for a secret that cannot be read.
        """
        book = self.books.of(resource.key)
        if book.kind.is_run:
            return compare_run(book, self.written(resource), applied, live)
        return compare(
            book,
            self.written(resource),
            applied,
            self.seen(resource.key, live or {}),
            types=self.types(book.kind),
            ignore=resource.lifecycle.ignore,
            create_only=resource.lifecycle.create_only,
            not_kept=row.not_kept if row is not None else None,
        )

    def document(self, resource: Resource, wires: Wires) -> Mapping[str, Any]:
        """What the store keeps beside the row once all of a manifest is live."""
        document: dict[str, Any] = {
            "spec": self.written(resource),
            "depends_on": [key_to_json(key) for key in resource.depends_on],
        }
        return {**document, "wires": wires} if wires else document

    def content(self, resource: Resource) -> str:
        """Which run a manifest asks for: the ``${content}`` of its mark."""
        book = self.books.of(resource.key)
        return content_of(book, described(book, resource.read(), resource.files))

    def _wires(self, key: Key) -> Wires:
        """What is known to travel: today's meaning of a reference before the one that was sent last."""
        sent: Wires = self.applied.get(key, {}).get("wires", {})
        now = self.references.get(key, {})
        return {pointer: {**sent.get(pointer, {}), **now.get(pointer, {})} for pointer in {*sent, *now}}


def key_to_json(key: Key) -> list[Any]:
    return [key.target, key.kind, [list(pair) for pair in key.scope], key.name]


def key_from_json(value: Any) -> Key:
    target, kind, scope, name = value
    return Key(target, kind, tuple((word, text) for word, text in scope), name)
