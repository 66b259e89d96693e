"""What the two faces of the emulated DataOS have in common: their state, their tokens, and a person's clicks.

The faces of one world share one :class:`State`, so that what is made through one is read through the other. Base of
:mod:`agent.sandbox.dataos` and :mod:`agent.sandbox.dataos_poros`; answers no request itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from agent.sandbox.dataos_answers import refusal_for
from agent.sandbox.dataos_bodies import check_document
from agent.sandbox.dataos_documents import Document
from agent.sandbox.dataos_state import State
from agent.sandbox.merge_patch import merged
from agent.sandbox.storage import Key
from agent.sandbox.switches import Switches
from agent.sandbox.world import Author, Token, World


class Face(ABC):
    """One of the two. A person may click in either: the same checks and commits as by request, but no token, no limits,
    no faults."""

    def __init__(self, world: World) -> None:
        self._world = world
        other = next((each for each in world.platforms.values() if isinstance(each, Face)), None)
        self.state: State = State(world) if other is None else other.state

    @abstractmethod
    def switches(self) -> Switches:
        """In force for what is written through this face."""

    @abstractmethod
    def shown(self, document: Document, at: float) -> dict[str, Any]:
        """As the read of one resource shows it."""

    @abstractmethod
    def check_free(self, document: Document) -> None:
        """Refusal when it may not be deleted now."""

    def resources(self) -> list[Mapping[str, Any]]:
        now = self._world.clock.now()
        return [self.shown(document, now) for document in self.state.shelves.matching((None, None))]

    def person_create(self, document: Mapping[str, Any], person: str) -> Mapping[str, Any]:
        self.state.let_go()
        check_document(document, strict_names=self._world.switches.strict_names)
        key = self.state.key(document["type"], document["name"], document.get("workspace"))
        author = Author(person, person=True, method="POST")
        return self._shown_now(self.state.create(key, document, person, author, self.switches()))

    def person_edit(
        self, type: str, name: str, workspace: str | None, change: Mapping[str, Any], person: str
    ) -> Mapping[str, Any]:
        present = self.state.changeable(self.state.key(type, name, workspace))
        document = merged(present.written, change)
        check_document(document, strict_names=self._world.switches.strict_names)
        author = Author(person, person=True, method="PUT")
        return self._shown_now(self.state.update(present, document, person, author, self.switches()))

    def person_delete(self, type: str, name: str, workspace: str | None, person: str) -> None:
        present = self.state.changeable(self.state.key(type, name, workspace))
        self.check_free(present)
        self.state.delete(present, Author(person, person=True, method="DELETE"))

    def _shown_now(self, document: Document) -> Mapping[str, Any]:
        return self.shown(document, self._world.clock.now())

    def _token(self, value: str) -> Token:
        """Refusal 401 for one that is unknown or has expired."""
        token = self._world.tokens.get(value)
        if token is None or (token.expires is not None and self._world.clock.now() >= token.expires):
            raise refusal_for(401)
        return token


def check_scope(token: Token, method: str) -> None:
    """Refusal 403 unless the token may read, or write."""
    if ("read" if method == "GET" else "write") not in token.scopes:
        raise refusal_for(403)


def check_access(token: Token, key: Key) -> None:
    """Refusal 403 for a resource in a workspace that is not the token's."""
    if token.workspaces is not None and key[2] and key[2] not in token.workspaces:
        raise refusal_for(403)
