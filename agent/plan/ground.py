"""What a plan stands on besides desired and observed, and how git and live are held side by side. Pure.

Assembled by ``reconcile/looking``; applying compares through it too, so that both see the same difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.definitions.platform import Kind, Platform
from agent.model.identity import Key
from agent.model.inventory import InventoryRow
from agent.model.ownership import Word
from agent.model.resource import Resource
from agent.plan.actions import Generations
from agent.plan.compare import Comparison, compare
from agent.plan.elsewhere import Wires, described, named, wired
from agent.plan.handover import Handover
from agent.plan.limits import Census
from agent.plan.normalize import fingerprinted, live_spec
from agent.plan.policy import Policy
from agent.plan.quiet import less_alike, less_unkept, unkept
from agent.plan.referring import with_references
from agent.plan.rules import RuleBooks, Types
from agent.plan.runs import compare_run, content_of
from agent.plan.waiting import Awaited

PREDECESSOR = "predecessor"
"""In an applied document: the id of the object that this one replaces and that is not proved gone yet."""
CREATING = "creating"
"""In an applied document: nothing but the create was sent so far, of an object that takes its time to be ready."""
BESIDES = "besides"
"""In an applied document: ids of objects that were there before this one was made, and look like it."""


@dataclass(frozen=True, slots=True)
class Ground:
    """``applied`` holds, for the keys that were read, the document that the last write left behind: ``spec`` (its
    secrets as fingerprints), ``depends_on``, ``awaits`` of other targets, and ``wires`` where a leaf travelled in
    another form. ``references`` says what such leaves of a resource stand for now. ``fingerprint`` turns a secret leaf
    as written (a value or a ``secretRef``) into its keyed hash. ``deciding`` are keys whose last write is still in
    doubt, ``pages`` how many the lists of each kind had at the most. ``census`` counts the whole target where ``rows``
    and the manifests are a part.
    ``words`` are what people said of single objects, ``generations`` the actions that were run. ``handover`` is what
    goes to other targets and comes from there: ``rows`` and ``applied`` have what comes as its former owner left it.
    ``unclaimed`` are keys in doubt of which neither git nor the inventory speaks.
    ``waiting`` says what of other targets is not there yet, ``needs`` which of them all of this target waits for;
    ``needed`` says who in other targets still depends on what leaves.
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
    pages: Mapping[str, int] = field(default_factory=dict)
    ready_looks: int = 10
    census: Census | None = None
    words: Mapping[Key, Word] = field(default_factory=dict)
    handover: Handover = field(default_factory=Handover)
    waiting: Mapping[Awaited, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    generations: Generations = field(default_factory=dict)
    unclaimed: Mapping[Key, str] = field(default_factory=dict)
    needed: Mapping[Key, str] = field(default_factory=dict)

    def written(self, resource: Resource, spec: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """What git says, as it is compared and stored: files as path and content, secrets as fingerprints.

        ``spec`` is that of the manifest, where it was read already.
        """
        book = self.books.of(resource.key)
        read = resource.read() if spec is None else spec
        told: Mapping[str, Any] = fingerprinted(book, described(book, read, resource.files), self.fingerprint)
        return told

    def seen(self, key: Key, live: Mapping[str, Any], wires: Wires | None = None) -> Mapping[str, Any]:
        """What the platform says, in the same form. ``wires`` are those just sent, if any were."""
        book = self.books.of(key)
        spec = live_spec(book, live)
        if book.elsewhere:
            spec = dict(named(book, spec, self.wires(key) if wires is None else wires))
        shown: Mapping[str, Any] = fingerprinted(book, spec, self.fingerprint)
        return shown

    def compared(
        self,
        resource: Resource,
        applied: Mapping[str, Any] | None,
        live: Mapping[str, Any] | None,
        row: InventoryRow | None,
        wires: Wires | None = None,
    ) -> Comparison:
        """Git against live. ``applied`` is the spec that the last write left, None when we never wrote the object.

        ``live`` is None for a run that is not listed any more; ``wires`` are those just sent. Raises ConfigError for a
        secret that cannot be read.
        """
        book, spec = self.books.of(resource.key), resource.read()
        written = self.written(resource, spec)
        quiet = {"ignore": resource.lifecycle.ignore, "create_only": resource.lifecycle.create_only}
        if book.kind.is_run:
            return with_references(compare_run(book, written, applied, live, **quiet), spec)
        if applied is not None and book.elsewhere:
            applied = wired(book, applied, self._moved(resource.key))
        found = compare(
            book,
            written,
            applied,
            self.seen(resource.key, live or {}, wires),
            types=self.types(book.kind),
            **quiet,
        )
        if row is not None and (not_kept := unkept(row, self.platform)):
            found = less_unkept(found, written, not_kept)
        if book.elsewhere:
            found = less_alike(book, found, self.wires(resource.key) if wires is None else wires)
        return with_references(found, spec)

    def document(self, resource: Resource, wires: Wires) -> Mapping[str, Any]:
        """What the store keeps beside the row once all of a manifest is live."""
        document: dict[str, Any] = {
            "spec": self.written(resource),
            "depends_on": [key_to_json(key) for key in resource.depends_on],
        }
        if resource.lifecycle.awaits:
            document["awaits"] = [list(each) for each in resource.lifecycle.awaits]
        return {**document, "wires": wires} if wires else document

    def content(self, resource: Resource) -> str:
        """Which run a manifest asks for: the ``${content}`` of its mark."""
        book = self.books.of(resource.key)
        return content_of(book, described(book, resource.read(), resource.files))

    def sent(self, key: Key) -> Wires:
        """What travelled with the last write."""
        wires: Wires = self.applied.get(key, {}).get("wires", {})
        return wires

    def wires(self, key: Key) -> Wires:
        """What is known to travel: today's meaning of a reference before the one that was sent last."""
        sent, now = self.sent(key), self.references.get(key, {})
        return {pointer: {**sent.get(pointer, {}), **now.get(pointer, {})} for pointer in {*sent, *now}}

    def _moved(self, key: Key) -> Wires:
        """Names that mean another object than when they were sent, as what was sent: nobody changed the live leaf."""
        sent, now = self.sent(key), self.references.get(key, {})
        return {
            pointer: {name: value for name, value in pairs.items() if now.get(pointer, {}).get(name, value) != value}
            for pointer, pairs in sent.items()
        }


def key_to_json(key: Key) -> list[Any]:
    return [key.target, key.kind, [list(pair) for pair in key.scope], key.name]


def key_from_json(value: Any) -> Key:
    target, kind, scope, name = value
    return Key(target, kind, tuple((word, text) for word, text in scope), name)
