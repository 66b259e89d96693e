"""One family of calls as the words of a kind: its scope, identity, operations and fields, each guess with its reason.

Called by ``platform``. What is written here is what a person would write after reading the document, and nothing that
the document does not let one conclude.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from agent.drafting.bodies import Bodies, bodies_of
from agent.drafting.endpoints import Endpoint, Parameter
from agent.drafting.families import Family, Steps, bare
from agent.drafting.identity import Identity, Seen, identity_of
from agent.drafting.members import Members, Reader
from agent.drafting.model import UNSEEN_READ, UNSEEN_WRITES, Draft, Guess, high, low, medium
from agent.drafting.names import scope_word, snake, squeezed
from agent.drafting.paging import paging_of
from agent.drafting.replies import Rows, object_of, plain

_IN_QUERY = 1000  # places of scope words that stand in the query
_CARRIED = frozenset(["etag", "revision", "resourceversion", "version", "lockversion", "rowversion"])
_KEYS_OF_REPEAT = frozenset(("idempotency-key", "x-idempotency-key", "x-request-idempotency-key"))


@dataclass(slots=True)
class Maker:
    """Makes the kinds of one document. ``kinds`` are all families that are drafted, by the steps of their item."""

    reader: Reader
    draft: Draft
    kinds: Mapping[Steps, Family]
    settings: Callable[[str, Parameter | None], str]  # makes a setting and gives its placeholder
    tenant: Steps  # the steps that stand before every kind, with parameters that are settings
    identities: dict[str, Identity] = field(default_factory=dict)
    bodies: dict[str, Bodies] = field(default_factory=dict)

    def look(self, family: Family) -> None:
        """Conclude identity and bodies, before any kind is written: kinds refer to each other."""
        bodies = bodies_of(self.reader, family)
        self.bodies[family.name] = bodies
        write = family.create or family.apply
        conflict = write is not None and "409" in write.statuses
        chosen = write is not None and bare(write.steps) == (*family.collection, "{}")
        seen = Seen(bodies.answered, bodies.created, conflict, chosen, bodies.wrapped)
        self.identities[family.name] = identity_of(self.reader, family.name, family.parameter, seen)

    def write(self, family: Family) -> None:
        """The words of one kind."""
        kind, say = ("kinds", family.name), self.draft.say
        identity, bodies = self.identities[family.name], self.bodies[family.name]
        self.draft.notes[family.name] = _note(family)
        if family.managed:
            say((*kind, "unverified"), UNSEEN_WRITES)
        self._scope(family)
        plain_rows = bodies.rows is not None and bodies.rows.plain
        say((*kind, "key"), identity.expression, None if plain_rows else identity.key_guess)
        if identity.id is not None:
            say((*kind, "id"), plain(identity.id), identity.id_guess)
        self._list(family)
        self._get(family)
        self._create(family)
        self._update(family)
        if family.delete is not None and family.managed:
            say((*kind, "delete", "request"), self.line(family, family.delete))
            if self._holds_others(family):
                say(
                    (*kind, "delete", "careful"), "what stands in it may go with it", high("other kinds stand below it")
                )

    def words_of_scope(self, family: Family) -> dict[int, tuple[str, Family | None]]:
        """The scope words of a kind, by the place of their step in the path; a parent that is no kind is None."""
        found: dict[int, tuple[str, Family | None]] = {}
        for place, step in enumerate(family.collection):
            if step != "{}" or place < len(self.tenant):
                continue
            parent = self.kinds.get(family.collection[: place + 1])
            taken = {word for word, _ in found.values()}
            if parent is not None and parent is not family:
                found[place] = (scope_word(parent.name, taken), parent)
            else:
                found[place] = (scope_word(snake(self._parameter_at(family, place)), taken), None)
        for number, parameter in enumerate(family.list.asks("query") if family.list is not None else ()):
            parent = self._named(parameter, family) if parameter.required else None
            if parent is not None:
                found[_IN_QUERY + number] = (scope_word(parent.name, {word for word, _ in found.values()}), parent)
        return found

    def _named(self, parameter: Parameter, family: Family) -> Family | None:
        """The kind whose identity a parameter is, by its name."""
        names = {squeezed(one.name) + end: one for one in self.kinds.values() for end in ("id", "name", "key")}
        found = names.get(squeezed(parameter.name))
        return found if found is not family else None

    def line(self, family: Family, call: Endpoint) -> str:
        """The request line of a call, with our words in place of its parameters."""
        identity, scope = self.identities[family.name], self.words_of_scope(family)
        steps = []
        for place, step in enumerate(call.steps):
            if not step.startswith("{"):
                steps.append(step)
            elif place < len(self.tenant):
                steps.append(self.settings(step[1:-1], None))
            elif place in scope and place < len(family.collection):
                steps.append(self._parent(scope[place]))
            else:
                steps.append("{name}" if call is family.finds or identity.by_name else "{id}")
        path = "/" + "/".join(steps) + ("/" if call.path.endswith("/") else "")
        parents = {parent.name: word for word, parent in scope.values() if parent is not None}
        asked = []
        for one in call.asks("query"):
            parent = self._named(one, family)
            if parent is not None and parent.name in parents and one.required:
                asked.append(f"{one.name}={self._parent((parents[parent.name], parent))}")
            elif one.required:
                asked.append(f"{one.name}={self._asked(one)}")
        return f"{call.method} {path}{'?' + '&'.join(asked) if asked else ''}"

    def _parent(self, word: tuple[str, Family | None]) -> str:
        name, parent = word
        if parent is None or self.identities[parent.name].by_name:
            return f"{{{name}}}"
        identity = self.identities[parent.name]
        return f"{{{name}.{identity.id or 'id'}}}"

    def _asked(self, parameter: Parameter) -> str:
        """A query parameter that must be said: its own default, else a setting."""
        said = self.reader.word(parameter.schema, "default")
        choices = self.reader.word(parameter.schema, "enum")
        if said is None and isinstance(choices, list) and choices:
            said = choices[0]
        if (isinstance(said, str) and said.isalnum()) or isinstance(said, int):
            return str(said).lower() if isinstance(said, bool) else str(said)
        return self.settings(parameter.name, parameter)

    def _scope(self, family: Family) -> None:
        for place, (word, parent) in self.words_of_scope(family).items():
            path = ("kinds", family.name, "scope", word)
            if parent is not None:
                self.draft.say(
                    path,
                    parent.name,
                    high("the list asks for one" if place >= _IN_QUERY else "its path stands below it"),
                )
            else:
                self.draft.say(path, {}, medium("a name in the path without a kind behind it"))

    def _list(self, family: Family) -> None:
        if family.list is None:
            return
        path, say, bodies = ("kinds", family.name, "list"), self.draft.say, self.bodies[family.name]
        say((*path, "request"), self.line(family, family.list))
        if family.searches:
            say((*path, "reads"), True, high("a search: it answers with a list") if bodies.rows else low("by its path"))
        rows = bodies.rows
        if rows is None:
            say((*path, "items"), "@", low("its answer has no schema that tells where the rows are"))
        elif rows.plain:
            key = plain(self.identities[family.name].key)
            items = f"[].{{{key}: @}}" if rows.items == "@" else f"{rows.items}[].{{{key}: @}}"
            say((*path, "items"), items, high("its rows are bare texts"))
        elif rows.items != "@":
            say((*path, "items"), rows.items, rows.guess)
        if family.get is not None or family.finds is not None:
            summary = self._summary(family)
            if summary is not None:
                say((*path, "holds"), "summary", summary)
        self._pages(family, family.list, rows)
        say((*path, "unverified"), UNSEEN_READ)

    def _summary(self, family: Family) -> Guess | None:
        """Why a list's rows are taken for less than the object; None where they hold it all."""
        bodies = self.bodies[family.name]
        if bodies.rows is None or bodies.rows.plain or not bodies.listed:
            return low("what its rows hold is not said")
        wanted = [name for name in bodies.created.schemas if name in bodies.answered and name not in bodies.listed]
        if wanted:
            return high(f"its rows lack {', '.join(wanted[:3])}")
        return None

    def _pages(self, family: Family, call: Endpoint, rows: Rows | None) -> None:
        if rows is None:
            rows = Rows("@", None, None, False, ())
        found = paging_of(self.reader, call, rows, in_body=family.searches)
        path = ("kinds", family.name, "list")
        if found is None:
            self.draft.say((*path, "pages"), "none", medium("no parameter asks for a page"))
        elif found[0] is None:
            self.draft.say((*path, "complete"), False, found[1])
            self.draft.say((*path, "pages"), "none")
        else:
            self.draft.say((*path, "pages"), found[0], found[1])

    def _get(self, family: Family) -> None:
        call = family.get
        path, identity = ("kinds", family.name, "get"), self.identities[family.name]
        guess = None
        if family.finds is not None and not identity.by_name:
            call, guess = family.finds, medium("finds one by its name")
        if call is None:
            return
        self.draft.say((*path, "request"), self.line(family, call), guess)
        where, _, why = self.bodies[family.name].item
        if where != "@":
            self.draft.say((*path, "item"), plain(where), why)
        self.draft.say((*path, "unverified"), UNSEEN_READ)

    def _create(self, family: Family) -> None:
        call = family.create or family.apply
        if call is None or not family.managed:
            return
        path, say = ("kinds", family.name, "create" if family.create else "apply"), self.draft.say
        reason = family.reasons.get("create")
        say((*path, "request"), self.line(family, call), medium(reason) if reason else None)
        if call.codec != "json":
            say((*path, "as"), call.codec)
        if family.apply is not None and call.method == "PATCH":
            say((*path, "sends"), "changes")
        identity = self.identities[family.name]
        where, _, why = object_of(self.reader, call.answer, family.collection[-1], self.bodies[family.name].item[1])
        if where != "@":
            say((*path, "item"), plain(where), why)
        if family.create is not None and "create-only" in family.reasons:
            say((*path, "headers"), {"If-None-Match": "*"}, high("a header of the call: only where there is none"))
            say((*path, "exists"), 412)
        for name, value in self.adds(family, self.bodies[family.name].created).items():
            say((*path, "adds", name), value)
        for parameter in call.asks("header"):
            if parameter.name.lower() in _KEYS_OF_REPEAT and identity and family.create is not None:
                say((*path, "idempotency"), parameter.name, high("a header of the call"))

    def adds(self, family: Family, members: Members) -> dict[str, str]:
        """What a body says besides the spec: the name, and the parents that its path does not name."""
        found = {}
        identity = self.identities[family.name]
        if identity.written is not None and identity.written in members:
            found[identity.written] = "${name}"
        for word, parent in self.words_of_scope(family).values():
            for name in members.schemas if parent is not None else ():
                if parent is not None and squeezed(name) == squeezed(parent.name) + "id":
                    found[name] = "${" + self._parent((word, parent))[1:-1] + "}"
        return found

    def _update(self, family: Family) -> None:
        call = family.update
        if call is None or not family.managed:
            return
        path, say, bodies = ("kinds", family.name, "update"), self.draft.say, self.bodies[family.name]
        say((*path, "request"), self.line(family, call))
        if call.codec != "json":
            say((*path, "as"), call.codec)
        if "merge-patch" in call.media:
            say((*path, "sends"), "merge", high("its body is a merge patch"))
        elif call.method != "PUT" and bodies.updated.required:
            needed = ", ".join(sorted(bodies.updated.required)[:3])
            say((*path, "sends"), "whole", high(f"its body needs {needed}, whatever changes"))
        elif call.method != "PUT":
            say((*path, "sends"), "changes", medium(f"a {call.method}: members that are not sent are taken to stay"))
        elif bodies.created.required and bodies.updated and not bodies.updated.required:
            say((*path, "sends"), "whole", medium("a PUT, though its body needs no member"))
        if bodies.updated and self.draft.said((*path, "sends")) not in ("changes", "merge"):
            for name, value in self.adds(family, bodies.updated).items():
                say((*path, "adds", name), value)
            self._carries(family, path)
        if bare(call.steps) == family.collection and self.identities[family.name].id in bodies.updated.schemas:
            identity = self.identities[family.name].id
            say((*path, "adds", str(identity)), "${id}", high("the call names its object in the body"))
        if any(one.name.lower() == "if-match" for one in call.asks("header")) and family.get is not None:
            say((*path, "ifMatch"), True, high("a header of the call"))

    def _carries(self, family: Family, path: tuple[str, ...]) -> None:
        """A revision that an update must repeat."""
        bodies = self.bodies[family.name]
        found = [
            f"/{name}"
            for name in bodies.updated.required
            if squeezed(name) in _CARRIED and name in bodies.answered and name not in bodies.created.required
        ]
        if found:
            self.draft.say((*path, "carries"), found, medium("an update needs it, and a create does not"))

    def _holds_others(self, family: Family) -> bool:
        item = (*family.collection, "{}")
        return any(one is not family and one.collection[: len(item)] == item for one in self.kinds.values())

    def _parameter_at(self, family: Family, place: int) -> str:
        for call in family.calls:
            if len(call.steps) > place and call.steps[place].startswith("{"):
                return call.steps[place][1:-1]
        return "parent"


def _note(family: Family) -> str:
    return "/" + "/".join(family.collection) + (f"/{{{family.parameter}}}" if family.parameter else "")
