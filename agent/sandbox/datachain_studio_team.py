"""What the teams of the emulated DataChain Studio have, and every change to it.

Jobs, datasets, clusters, files of storage and uploaded blobs, each below its team. Used by
:mod:`agent.sandbox.datachain_studio`; changes go through the shelf, so that each is a commit.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from typing import Any

from agent.sandbox.datachain_studio_bodies import invalid, refusal_for
from agent.sandbox.datachain_studio_clusters import FIRST, chosen, complete_cluster
from agent.sandbox.datachain_studio_datasets import complete_dataset, complete_file, full_name
from agent.sandbox.datachain_studio_jobs import ENDED, Job, begun, check_job, shown, status_of
from agent.sandbox.merge_patch import merged
from agent.sandbox.shelf import Shelf
from agent.sandbox.world import Author, World

_URL = "https://studio.datachain.ai/team/{}/datasets/jobs/{}"
DEFAULT_TEAM = "my-team"
"""Where a person who names no team works."""


class Teams:
    def __init__(self, world: World, platform: str) -> None:
        self._world = world
        self.shelf = Shelf(world, platform)

    def open(self, team: str) -> None:
        """A team is there from its first mention, with one cluster."""
        if self.shelf.get("team", "", team) is None:
            self.shelf.keep("team", "", team, {"name": team})
            self.shelf.keep("cluster", team, FIRST["name"], FIRST)

    def job(self, team: str, identity: str) -> Job | None:
        return self.shelf.get("job", team, identity)

    def add_job(self, team: str, body: Mapping[str, Any], author: Author, *, newer: bool = False) -> Job:
        asked = check_job(body)
        for file in asked["files"]:
            if self.shelf.get("blob", team, file) is None:
                raise invalid(f"File {file} not found")
        cluster = chosen(self.shelf.all("cluster", team), asked)
        switches, identity, now = self._world.switches, self._uuid(), self._world.clock.now()
        name = asked["query_name"] or ""
        fails = any(name == each or name.startswith(f"{each} ") for each in switches.fail_names) or (
            switches.fail_share > 0 and self._world.random.random() < switches.fail_share
        )
        place = {"id": identity, "team": team, "url": _URL.format(team, identity), "created_by": author.name}
        outcome = "FAILED" if fails else "COMPLETE"
        made = begun({**asked, **cluster, **place, "newer": newer}, now, switches.ready_after, outcome)
        self.shelf.commit("job", team, identity, made, author, before=None, after=shown(made, now))
        return made

    def cancel(self, team: str, identity: str, author: Author) -> None:
        """Refused once a job has ended or is being cancelled: 409 is a guess."""
        job, now = self.job(team, identity), self._world.clock.now()
        if job is None:
            raise refusal_for(404, "Job not found")
        status = status_of(job, now)
        if status in ENDED or job["cancelled"] is not None:
            raise refusal_for(409, f"Job is already in {status} status")
        left = {**job, "cancelled": now, "cancel_ends": now + self._world.switches.delete_delay}
        self.shelf.commit("job", team, identity, left, author, before=shown(job, now), after=shown(left, now))

    def add_blob(self, team: str, name: str, content: bytes, author: Author) -> int:
        number = self.shelf.number()
        row = {"id": number, "name": name, "size": len(content)}
        record = {**row, "content": base64.b64encode(content).decode()}
        self.shelf.commit("blob", team, str(number), record, author, before=None, after=row)
        return number

    def replace(
        self,
        type_name: str,
        team: str,
        name: str,
        new_name: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any] | None,
        author: Author,
    ) -> None:
        """Change, rename or (None) remove. Refusal 409 where the new name is taken (a guess)."""
        if new_name != name:
            if self.shelf.get(type_name, team, new_name) is not None:
                raise refusal_for(409, f"{type_name.capitalize()} '{new_name}' already exists")
            self.shelf.commit(type_name, team, name, None, author, before=before, after=None)
            self.shelf.commit(type_name, team, new_name, after, author, before=None, after=after)
        else:
            self.shelf.commit(type_name, team, name, after, author, before=before, after=after)

    def resources(self) -> list[Mapping[str, Any]]:
        now = self._world.clock.now()
        rows: list[Mapping[str, Any]] = []
        for type_name in ("cluster", "dataset", "file", "job"):
            for team in self.shelf.scopes(type_name):
                for name, record in self.shelf.all(type_name, team).items():
                    seen = shown(record, now) if type_name == "job" else record
                    rows.append({"name": name, **seen, "kind": type_name, "workspace": team})
        return rows

    # A person clicks

    def person_create(self, document: Mapping[str, Any], author: Author) -> Mapping[str, Any]:
        type_name, team = document.get("kind") or document.get("type"), document.get("workspace") or DEFAULT_TEAM
        self.open(team)
        if type_name == "job":
            return shown(self.add_job(team, document, author), self._world.clock.now())
        made: dict[str, Any]
        if type_name == "dataset":
            made = complete_dataset(document, self._world.clock.now(), self.shelf.number, self._uuid)
            name = full_name(made)
        elif type_name == "cluster":
            made = complete_cluster(document, self.shelf.number())
            name = made["name"]
        elif type_name == "file":
            made = complete_file(document, self._world.clock.now())
            name = document["name"]
        else:
            raise invalid("A person creates a job, a dataset, a cluster or a file")
        if self.shelf.get(type_name, team, name) is not None:
            raise refusal_for(409, f"{type_name.capitalize()} '{name}' already exists")
        self.shelf.commit(type_name, team, name, made, author, before=None, after=made)
        return made

    def person_edit(
        self, type_name: str, name: str, team: str | None, change: Mapping[str, Any], author: Author
    ) -> Mapping[str, Any]:
        if type_name == "job":
            raise refusal_for(405, "A job cannot be edited")
        before = self._present(type_name, team or DEFAULT_TEAM, name)
        after = merged(before, change)
        new_name = full_name(after) if type_name == "dataset" else after["name"] if type_name == "cluster" else name
        self.replace(type_name, team or DEFAULT_TEAM, name, new_name, before, after, author)
        return after

    def person_delete(self, type_name: str, name: str, team: str | None, author: Author) -> None:
        team = team or DEFAULT_TEAM
        if type_name == "job":
            self.cancel(team, name, author)
        else:
            self.replace(type_name, team, name, name, self._present(type_name, team, name), None, author)

    def _present(self, type_name: str, team: str, name: str) -> Mapping[str, Any]:
        found = self.shelf.get(type_name, team, name)
        if found is None:
            raise refusal_for(404, f"{type_name.capitalize()} '{name}' not found")
        return found

    def _uuid(self) -> str:
        return str(uuid.UUID(bytes=self.shelf.unique()[:16], version=4))
