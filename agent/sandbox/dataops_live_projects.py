"""Projects of the emulated DataOps.live, as they are kept and as reads show them.

From the page: list, create with JSON or a form, PUT in general, `id`, `name`, `description`. The rest is GitLab's, as
the vendor's clients need it: ids and URL-encoded paths, topics, archive, fork, delayed deletion. Called by
:mod:`agent.sandbox.dataops_live`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from agent.sandbox.dataops_live_answers import instant, invalid, not_found
from agent.sandbox.dataops_live_fields import PROJECT, defaults, error, read_attributes
from agent.sandbox.dataops_live_namespaces import PATH, WEB, Namespaces, may_see
from agent.sandbox.messages import Refusal
from agent.sandbox.numbers import Numbers
from agent.sandbox.shelf import Record, Shelf
from agent.sandbox.world import Author, Token, World

_NAME = re.compile(r"[\w][\w .+\-]*")
_TAKEN = "has already been taken"


class Projects:
    """`forget_parts` drops what belonged to a project, by its id."""

    def __init__(self, world: World, shelf: Shelf, numbers: Numbers, forget_parts: Callable[[int], None]) -> None:
        self._world = world
        self._shelf = shelf
        self._numbers = numbers
        self._forget_parts = forget_parts
        self.namespaces = Namespaces(world, shelf, numbers, self._empty)
        self._places: dict[str, tuple[str, str]] = {}
        """Where a project is by its id, and by its full path in lower case; kept after it is gone, for stale reads."""
        self._held: dict[tuple[str, str, str], int] = {}
        """The last project that took a name or a path; it may have left it since."""
        self._leaving: set[tuple[str, str]] = set()
        for record in self.all():
            self._note(record)

    # Looking

    def all(self, token: Token | None = None, lag: float = 0.0) -> list[Record]:
        """Those that the token may see, oldest first."""
        scopes = [scope for scope in self._scopes() if may_see(token, scope)]
        found = [record for scope in scopes for record in self._shelf.all("project", scope, lag).values()]
        return sorted(found, key=lambda record: record["id"])

    def find(self, reference: str, token: Token | None = None, lag: float = 0.0) -> Record:
        """By id or by full path. Refusal 404 also for what the token may not see."""
        namespace, _, path = reference.rpartition("/")
        record = self._shelf.get("project", namespace, path, lag) if namespace else None
        if record is None:
            place = self._places.get(reference.lower())
            record = None if place is None else self._shelf.get("project", *place, lag)
            if record is not None and namespace == "" and str(record["id"]) != reference:
                record = None
        if record is None or not may_see(token, record["namespace"]):
            raise not_found("Project")
        return record

    def shown(self, record: Record) -> dict[str, Any]:
        attributes, namespace = record["attributes"], self.namespaces.shown(record["namespace"])
        full_path = f"{record['namespace']}/{attributes['path']}"
        now = self._world.clock.now()
        marked = None if record["marked"] is None else instant(record["marked"])[:10]
        importing = "none" if record["import_ready"] is None else "started"
        shown = {
            "id": record["id"],
            **attributes,
            "tag_list": attributes["topics"],
            "name_with_namespace": f"{namespace.get('name')} / {attributes['name']}",
            "path_with_namespace": full_path,
            "created_at": instant(record["created"]),
            "updated_at": instant(record["changed"]),
            "last_activity_at": instant(record["changed"]),
            "ssh_url_to_repo": f"git@{WEB.removeprefix('https://')}:{full_path}.git",
            "http_url_to_repo": f"{WEB}/{full_path}.git",
            "web_url": f"{WEB}/{full_path}",
            "readme_url": None,
            "avatar_url": None,
            "forks_count": record["forks"],
            "star_count": 0,
            "open_issues_count": 0,
            "namespace": namespace,
            "empty_repo": True,
            "archived": record["archived"],
            "can_create_merge_request_in": True,
            "creator_id": record["creator_id"],
            "import_status": "finished" if importing == "started" and now >= record["import_ready"] else importing,
            "shared_with_groups": [],
            "marked_for_deletion_at": marked,
            "marked_for_deletion_on": marked,
            "permissions": {"project_access": None, "group_access": {"access_level": 50, "notification_level": 3}},
        }
        if record["forked_from"] is not None:
            shown["forked_from_project"] = record["forked_from"]
        return shown

    # Changes

    def create(self, sent: Mapping[str, Any], token: Token | None, author: Author, owner: Record) -> dict[str, Any]:
        """In the namespace of `namespace_id`, else in the caller's own."""
        changes = read_attributes(PROJECT, self._with_old_words(sent))
        if not changes.get("name") and not changes.get("path"):
            raise error("name, path are missing, at least one parameter must be provided")
        namespace = owner["full_path"]
        if sent.get("namespace_id") not in (None, ""):
            if not str(sent["namespace_id"]).isdecimal():
                raise error("namespace_id is invalid")
            found = self.namespaces.find(str(sent["namespace_id"]), token)
            if found is None:
                raise invalid(namespace="is not valid")
            namespace = found[1]["full_path"]
        name = changes.get("name") or changes["path"]
        attributes = {**defaults(PROJECT), **changes, "name": name, "path": changes.get("path") or _path_for(name)}
        return self._add(namespace, attributes, author, owner["id"])

    def update(self, record: Record, sent: Mapping[str, Any], author: Author) -> dict[str, Any]:
        """Only what is sent changes. A new `path` is a new address of the same id."""
        changes = read_attributes(PROJECT, self._with_old_words(sent))
        if not changes:
            raise error(f"{', '.join(PROJECT)} are missing, at least one parameter must be provided")
        attributes = {**record["attributes"], **changes}
        self._check(record["namespace"], attributes, record["id"])
        made = {**record, "attributes": self._ordered(attributes), "changed": self._world.clock.now()}
        return self._write(made, record, author)

    def archive(self, record: Record, archived: bool, author: Author) -> dict[str, Any]:
        """Changes nothing, and says so in the same words, when it is so already."""
        if record["archived"] == archived:
            return self.shown(record)
        return self._write({**record, "archived": archived, "changed": self._world.clock.now()}, record, author)

    def fork(
        self, record: Record, sent: Mapping[str, Any], token: Token | None, author: Author, owner: Record
    ) -> dict[str, Any]:
        """Into the caller's namespace or another one; 409 where the path is taken."""
        wanted = sent.get("namespace_id") or sent.get("namespace_path") or sent.get("namespace") or owner["full_path"]
        found = self.namespaces.find(str(wanted), token)
        if found is None:
            raise Refusal(404, "message", "404 Target Namespace Not Found")
        own = {name: sent[name] for name in ("name", "path", "description", "visibility") if sent.get(name)}
        attributes = {**record["attributes"], **read_attributes(PROJECT, own)}
        source = self.shown(record)
        origin = {name: source[name] for name in ("id", "name", "path", "path_with_namespace", "web_url", "created_at")}
        try:
            made = self._add(found[1]["full_path"], attributes, author, owner["id"], origin)
        except Refusal as refusal:
            if not refusal.details or [_TAKEN] not in refusal.details.values():
                raise
            words = [f"{name.capitalize()} {_TAKEN}" for name in refusal.details]
            raise Refusal(409, "message", words[0], {"base": words}) from refusal
        counted = {**self.find(str(record["id"])), "forks": record["forks"] + 1}
        self._shelf.keep("project", *self._places[str(record["id"])], counted)
        return made

    def delete(self, record: Record, author: Author, sent: Mapping[str, Any]) -> None:
        """At once, or (switch `delete_delay`) marked first and gone later. Marked twice is no error."""
        delay, now = self._world.switches.delete_delay, self._world.clock.now()
        at_once = str(sent.get("permanently_remove", "")).lower() in ("true", "1")
        if at_once and record["marked"] is None and delay > 0:
            raise Refusal(400, "message", "Project must be marked for deletion first.")
        if at_once and sent.get("full_path") != f"{record['namespace']}/{record['attributes']['path']}":
            raise Refusal(400, "message", "`full_path` is incorrect. You must enter the complete path for the project.")
        if record["marked"] is not None and not at_once:
            return
        place, before = (record["namespace"], record["attributes"]["path"]), self.shown(record)
        if delay > 0 and not at_once:
            marked = {**record, "marked": now, "gone_at": now + delay}
            self._leaving.add(place)
            self._shelf.commit("project", *place, marked, author, before=before, after=None)
        elif record["marked"] is not None:
            self._shelf.keep("project", *place, None)  # its commit was the mark
            self._forget_parts(record["id"])
        else:
            self._shelf.commit("project", *place, None, author, before=before, after=None)
            self._forget_parts(record["id"])

    def restore(self, record: Record, author: Author) -> dict[str, Any]:
        if record["marked"] is None:
            raise Refusal(400, "message", "Project has not been marked for deletion")
        return self._write({**record, "marked": None, "gone_at": None}, None, author)

    def let_go(self) -> None:
        """Remove what was marked a while ago."""
        if not self._leaving:
            return
        now = self._world.clock.now()
        for place in [*self._leaving]:
            record = self._shelf.get("project", *place)
            if record is None or record["gone_at"] is None:
                self._leaving.discard(place)
            elif now >= record["gone_at"]:
                self._leaving.discard(place)
                self._shelf.keep("project", *place, None)
                self._forget_parts(record["id"])

    def _add(
        self,
        namespace: str,
        attributes: Mapping[str, Any],
        author: Author,
        creator: int,
        forked_from: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        self._check(namespace, attributes, None)
        now = self._world.clock.now()
        record = {
            "id": self._numbers.next(),
            "namespace": namespace,
            "attributes": self._ordered(attributes),
            "created": now,
            "changed": now,
            "creator_id": creator,
            "archived": False,
            "marked": None,
            "gone_at": None,
            "forks": 0,
            "forked_from": forked_from,
            "import_ready": None if forked_from is None else now + self._world.switches.ready_after,
        }
        return self._write(record, None, author)

    def _write(self, record: dict[str, Any], before: Record | None, author: Author) -> dict[str, Any]:
        path, shown = record["attributes"]["path"], self.shown(record)
        previous = None if before is None else self.shown(before)
        self._note(record)
        self._shelf.commit("project", record["namespace"], path, record, author, before=previous, after=shown)
        if before is not None and before["attributes"]["path"] != path:
            self._shelf.keep("project", record["namespace"], before["attributes"]["path"], None)
        return shown

    def _check(self, namespace: str, attributes: Mapping[str, Any], own: int | None) -> None:
        name, path = attributes["name"] or "", attributes["path"] or ""
        if not _NAME.fullmatch(name) or len(name) > 255:
            raise invalid(
                name="can contain only letters, digits, '_', '.', '+', dashes, or spaces. "
                "It must start with a letter, digit, or '_'."
            )
        if not PATH.fullmatch(path) or path.endswith((".git", ".atom", ".")) or len(path) > 255:
            raise invalid(
                path="can contain only letters, digits, '_', '-' and '.'. "
                "Cannot start with '-', end in '.git' or end in '.atom'."
            )
        taken = {
            word: _TAKEN
            for word in ("name", "path")
            if self._holder(namespace, word, attributes[word]) not in (None, own)
        }
        if taken:
            raise invalid(**taken)

    def _holder(self, namespace: str, word: str, value: str) -> int | None:
        """Id of the project that has this name or path, in any case."""
        number = self._held.get((namespace, word, value.lower()))
        place = self._places.get(str(number))
        record = None if place is None else self._shelf.get("project", *place)
        if record is None or record["id"] != number or record["attributes"][word].lower() != value.lower():
            return None
        return number

    def _ordered(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        topics = sorted(attributes["topics"]) if self._world.switches.sort_tags else attributes["topics"]
        return {**attributes, "topics": topics}

    def _with_old_words(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        """`tag_list` is the older word for `topics`, `public_builds` for `public_jobs`."""
        old = {"topics": sent.get("tag_list"), "public_jobs": sent.get("public_builds")}
        return {**{word: value for word, value in old.items() if value is not None}, **sent}

    def _note(self, record: Record) -> None:
        place = (record["namespace"], record["attributes"]["path"])
        self._places[str(record["id"])] = place
        self._places["/".join(place).lower()] = place
        for word in ("name", "path"):
            self._held[record["namespace"], word, record["attributes"][word].lower()] = record["id"]
        if record["gone_at"] is not None:
            self._leaving.add(place)

    def _scopes(self) -> list[str]:
        """Also of namespaces whose last project went a moment ago, for stale reads."""
        return list(dict.fromkeys([*self._shelf.scopes("project"), *(place[0] for place in self._places.values())]))

    def _empty(self, namespace: str, author: Author) -> None:
        """A group that goes takes its projects with it, at once."""
        for record in list(self._shelf.all("project", namespace).values()):
            path = record["attributes"]["path"]
            if record["marked"] is None:
                self._shelf.commit("project", namespace, path, None, author, before=self.shown(record), after=None)
            else:
                self._shelf.keep("project", namespace, path, None)
            self._forget_parts(record["id"])


def _path_for(name: str) -> str:
    return re.sub(r"[^a-z0-9_.]+", "-", name.lower()).strip("-.") or "project"
