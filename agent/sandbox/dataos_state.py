"""The one state behind both faces of the emulated DataOS: its resources and workspaces, and every change to them.

What the documented API (:mod:`agent.sandbox.dataos`) and Poros (:mod:`agent.sandbox.dataos_poros`) do to resources, by
request or by a person's click, they do here. Refusals are in the documented API's words; Poros tells the message only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agent.sandbox.dataos_answers import not_found
from agent.sandbox.dataos_bodies import INSTANCE_TYPES, check_type, invalid
from agent.sandbox.dataos_dependencies import depends_on, identifier
from agent.sandbox.dataos_documents import Document, complete
from agent.sandbox.dataos_logs import Logs
from agent.sandbox.dataos_shelves import Shelves
from agent.sandbox.dataos_workspaces import DEFAULT_WORKSPACE, Subscriptions, Workspaces
from agent.sandbox.messages import Refusal
from agent.sandbox.storage import Key
from agent.sandbox.switches import Switches
from agent.sandbox.world import Author, World

PLATFORM = "dataos"
"""Under this name both faces keep their records."""

_RESERVED = ("workspace", "webhook")
"""Types that are no resources: they have endpoints of their own."""


class State:
    """`shelves` is for reading only: changes go through the methods."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.shelves = Shelves(
            Document(key=key, **record)
            for key, record in world.records.items()
            if key[0] == PLATFORM and key[1] not in _RESERVED
        )
        self._leaving: set[Key] = {each.key for each in self.shelves.matching((None, None)) if each.gone_at}
        self.logs = Logs(world, self.shelves.get)
        self.workspaces = Workspaces(world, PLATFORM, self._empty_workspace)
        self.subscriptions = Subscriptions(world, PLATFORM)

    def key(self, type_name: str, name: str, workspace: str | None) -> Key:
        """Instance-level types have no workspace; for the others an absent one is `public` (a guess)."""
        check_type(type_name)
        return (PLATFORM, type_name, "" if type_name in INSTANCE_TYPES else workspace or DEFAULT_WORKSPACE, name)

    def present(self, key: Key) -> Document:
        document = self.shelves.get(key)
        if document is None:
            raise not_found(key[1], key[3], key[2] or None)
        return document

    def changeable(self, key: Key) -> Document:
        self.let_go()
        document = self.present(key)
        if document.gone_at is not None:
            details = {"type": key[1], "name": key[3]}
            raise Refusal(409, "RESOURCE_BEING_DELETED", f"{key[1].capitalize()} '{key[3]}' is being deleted", details)
        return document

    def check_creatable(self, key: Key) -> None:
        """Refusal unless a resource may be made there."""
        if key[1] in _RESERVED:
            raise invalid(f"'{key[1]}' is not a type of resource", field="type")
        if key[2] and self._world.switches.workspaces_must_exist and not self.workspaces.exists(key[2]):
            raise invalid(f"Workspace '{key[2]}' does not exist", field="workspace")

    def create(self, key: Key, body: Mapping[str, Any], owner: str, author: Author, switches: Switches) -> Document:
        self.check_creatable(key)
        if self.shelves.get(key) is not None:
            details = {"type": key[1], "name": key[3], **({"workspace": key[2]} if key[2] else {})}
            message = f"{key[1].capitalize()} '{key[3]}' already exists"
            raise Refusal(409, "RESOURCE_ALREADY_EXISTS", message, details)
        return self._write(key, complete(body, key[2] or None, owner, switches), None, author, switches)

    def update(
        self, present: Document, body: Mapping[str, Any], owner: str, author: Author, switches: Switches
    ) -> Document:
        written = complete(body, present.workspace, owner, switches)
        return self._write(present.key, written, present, author, switches)

    def check_free(self, present: Document) -> None:
        """Refusal 409 while another resource depends on this one."""
        for other in self.shelves.matching((None, None)):
            if other.key != present.key and depends_on(other, present):
                message = f"cannot delete resource, it is a dependency of '{identifier(other)}'"
                raise Refusal(409, "RESOURCE_IN_USE", message, {"type": present.type, "name": present.name})

    def delete(self, present: Document, author: Author) -> None:
        left: Document | None = None
        if self._world.switches.delete_delay > 0:
            left = replace(present, gone_at=self._world.clock.now() + self._world.switches.delete_delay)
            self._leaving.add(present.key)
        self._commit(present.key, left, present, author, "resource.deleted")

    def let_go(self) -> None:
        """Remove what was deleted a while ago; its commit was the delete."""
        if not self._leaving:
            return
        now = self._world.clock.now()
        for key in [*self._leaving]:
            document = self.shelves.get(key)
            if document is None or document.gone_at is None:
                self._leaving.discard(key)
            elif now >= document.gone_at:
                self._leaving.discard(key)
                self.shelves.put(key, None, now)
                self._world.keep(key, None)

    def _write(
        self, key: Key, written: dict[str, Any], before: Document | None, author: Author, switches: Switches
    ) -> Document:
        now = self._world.clock.now()
        fails = key[3] in switches.fail_names or (
            switches.fail_share > 0 and self._world.random.random() < switches.fail_share
        )
        made = Document(
            key=key,
            written=written,
            created=now if before is None else before.created,
            changed=now,
            ready_at=now + switches.ready_after,
            outcome=switches.failed_status if fails else "active",
        )
        self._commit(key, made, before, author, "resource.created" if before is None else "resource.updated")
        return made

    def _commit(self, key: Key, document: Document | None, before: Document | None, author: Author, event: str) -> None:
        now = self._world.clock.now()
        shown = None if document is None else document.shown(now)
        previous = None if before is None else before.shown(now)
        self.shelves.put(key, document, now)
        if document is None:
            self.logs.forget(key)
        record = None if document is None else document.record()
        self._world.commit(key, record, author, before=previous, after=None if event == "resource.deleted" else shown)
        told = shown or {**(previous or {}), "status": "deleted"}
        members = ("type", "name", "workspace", "status")
        self.subscriptions.tell(event, {member: told[member] for member in members if member in told})

    def _empty_workspace(self, name: str, author: Author) -> None:
        """A workspace takes with it what it holds (a guess), or is refused while it holds anything."""
        held = self.shelves.matching((None, name))
        if held and self._world.switches.refuse_dependents:
            raise Refusal(409, "WORKSPACE_NOT_EMPTY", f"Workspace '{name}' holds {len(held)} resources", {"name": name})
        for document in held:
            if document.gone_at is None:
                self.delete(document, author)
