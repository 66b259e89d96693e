"""What belongs to a project of the emulated DataOps.live: variables, hooks, schedules, trigger tokens, pipelines.

The page names the pipeline trigger token only; paths and members are GitLab's, as the vendor's clients send and need
them. Kept below the project's id, which a new path does not change. Called by :mod:`agent.sandbox.dataops_live`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agent.sandbox.dataops_live_answers import instant, invalid, no_such_path, not_allowed, not_found, page_answer
from agent.sandbox.dataops_live_fields import PARTS, Part, defaults, error, need, read_attributes
from agent.sandbox.dataops_live_namespaces import WEB
from agent.sandbox.messages import Answer, Refusal, Request, json_answer
from agent.sandbox.numbers import Numbers
from agent.sandbox.shelf import Record, Shelf
from agent.sandbox.world import Author, World

_KEY = re.compile(r"[A-Za-z0-9_]{1,255}", re.ASCII)


class Parts:
    def __init__(self, world: World, shelf: Shelf, numbers: Numbers) -> None:
        self._world = world
        self._shelf = shelf
        self._numbers = numbers

    def forget(self, project: int) -> None:
        """The project is gone."""
        for type_name in [*(part.type for part in PARTS.values()), "pipeline"]:
            for name in [*self._shelf.all(type_name, str(project))]:
                self._shelf.keep(type_name, str(project), name, None)

    def answer(
        self, request: Request, project: Record, rest: tuple[str, ...], sent: Mapping[str, Any], author: Author
    ) -> Answer:
        """Below `/projects/{id}`; `rest` starts with the word for the parts."""
        if rest[0] == "pipelines":
            return self._pipelines(request, project, rest[1:])
        part = PARTS.get(rest[0])
        if part is None:
            raise no_such_path()
        scope = str(project["id"])
        if len(rest) == 1:
            if request.method == "POST":
                return json_answer(201, self.create(part, project, sent, author))
            if request.method != "GET":
                raise not_allowed()
            rows = list(self._shelf.all(part.type, scope, request.lag).values())
            return page_answer(request, rows, lambda record: self._shown(part, record))
        record = self._shelf.get(part.type, scope, rest[1], request.lag if request.method == "GET" else 0.0)
        if record is None:
            raise not_found(part.title)
        if len(rest) > 2:
            if part.type != "schedule" or rest[2:] != ("variables",):
                raise no_such_path()
            if request.method != "POST":
                raise not_allowed()
            return json_answer(201, self._add_variable(part, project["id"], record, sent, author))
        if request.method == "GET":
            return json_answer(200, self._shown(part, record))
        if request.method == "PUT":
            return json_answer(200, self.update(part, project["id"], record, sent, author))
        if request.method != "DELETE":
            raise not_allowed()
        self.delete(part, project["id"], record, author)
        return Answer(status=204)

    # Changes

    def create(self, part: Part, project: Record, sent: Mapping[str, Any], author: Author) -> dict[str, Any]:
        need(sent, part.required)
        attributes = {**defaults(part.attributes), **read_attributes(part.attributes, sent)}
        number = self._numbers.next()
        if part.key == "key":
            if not _KEY.fullmatch(attributes["key"]):
                raise invalid(key="can contain only letters, digits and '_'.")
            if self._shelf.get(part.type, str(project["id"]), attributes["key"]) is not None:
                raise invalid(key=f"({attributes['key']}) has already been taken")
        now = self._world.clock.now()
        record = {"id": number, "attributes": attributes, "created": now, "changed": now, "variables": []}
        if part.type == "schedule":
            record["owner"] = {"id": project["creator_id"]}
        if part.type == "trigger":
            record["token"] = sent.get("token") or f"glptt-{self._world.random.getrandbits(160):040x}"
        return self._write(part, project["id"], record, None, author)

    def update(
        self, part: Part, project: int, record: Record, sent: Mapping[str, Any], author: Author
    ) -> dict[str, Any]:
        changes = {
            name: value
            for name, value in read_attributes(part.attributes, sent).items()
            if name != "key" or part.key != "key"
        }
        attributes = {**record["attributes"], **changes}
        made = {**record, "attributes": attributes, "changed": self._world.clock.now()}
        return self._write(part, project, made, record, author)

    def delete(self, part: Part, project: int, record: Record, author: Author) -> None:
        before = self._shown(part, record)
        self._shelf.commit(part.type, str(project), _name(part, record), None, author, before=before, after=None)

    def find(self, part: Part, project: int, name: str) -> Record:
        record = self._shelf.get(part.type, str(project), name)
        if record is None:
            raise not_found(part.title)
        return record

    def trigger(self, project: Record, sent: Mapping[str, Any], author: Author) -> Answer:
        """The token in the body opens this one call, with or without another credential."""
        need(sent, ("token", "ref"))
        tokens = self._shelf.all("trigger", str(project["id"])).values()
        if all(each["token"] != sent["token"] for each in tokens):
            raise Refusal(404, "message", "404 Not Found")
        variables = sent.get("variables", {})
        if not isinstance(variables, Mapping) or any(isinstance(value, list | dict) for value in variables.values()):
            raise error("variables is invalid")
        switches, now = self._world.switches, self._world.clock.now()
        fails = project["attributes"]["path"] in switches.fail_names or (
            switches.fail_share > 0 and self._world.random.random() < switches.fail_share
        )
        record = {
            "id": self._numbers.next(),
            "iid": len(self._shelf.all("pipeline", str(project["id"]))) + 1,
            "project_id": project["id"],
            "ref": str(sent["ref"]),
            "sha": f"{self._world.random.getrandbits(160):040x}",
            "created": now,
            "ready_at": now + switches.ready_after,
            "outcome": switches.failed_status if fails else "success",
        }
        shown = {**self._pipeline(record), "status": "created"}
        self._shelf.commit("pipeline", str(project["id"]), str(record["id"]), record, author, before=None, after=shown)
        return json_answer(201, shown)

    def _add_variable(
        self, part: Part, project: int, record: Record, sent: Mapping[str, Any], author: Author
    ) -> dict[str, Any]:
        need(sent, ("key", "value"))
        variable = {"key": str(sent["key"]), "value": str(sent["value"])}
        kept = [each for each in record["variables"] if each["key"] != variable["key"]]
        self._write(part, project, {**record, "variables": [*kept, variable]}, record, author)
        return variable

    def _write(
        self, part: Part, project: int, record: dict[str, Any], before: Record | None, author: Author
    ) -> dict[str, Any]:
        shown = self._shown(part, record)
        previous = None if before is None else self._shown(part, before)
        self._shelf.commit(part.type, str(project), _name(part, record), record, author, before=previous, after=shown)
        return shown

    # As reads show them

    def _shown(self, part: Part, record: Record) -> dict[str, Any]:
        shown = {name: value for name, value in record["attributes"].items() if part.attributes[name].shown}
        if part.type == "variable":
            hidden = record["attributes"]["masked_and_hidden"]
            return {**shown, "hidden": hidden, **({"value": None, "masked": True} if hidden else {})}
        shown = {"id": record["id"], **shown, "created_at": instant(record["created"])}
        if part.type == "hook":
            return {**shown, "alert_status": "executable"}
        shown["updated_at"] = instant(record["changed"])
        if part.type == "schedule":
            soon = self._world.clock.now() // 86400 * 86400 + 86400
            return {**shown, "next_run_at": instant(soon), "owner": record["owner"], "variables": record["variables"]}
        return {**shown, "token": record["token"], "last_used": None}

    def _pipelines(self, request: Request, project: Record, rest: tuple[str, ...]) -> Answer:
        if request.method != "GET":
            raise not_allowed()
        records = self._shelf.all("pipeline", str(project["id"]), request.lag)
        if not rest:
            return page_answer(request, [*records.values()][::-1], self._pipeline)
        if len(rest) > 1:
            raise no_such_path()
        if rest[0] not in records:
            raise not_found("Pipeline")
        return json_answer(200, self._pipeline(records[rest[0]]))

    def _pipeline(self, record: Record) -> dict[str, Any]:
        ready = self._world.clock.now() >= record["ready_at"]
        return {
            "id": record["id"],
            "iid": record["iid"],
            "project_id": record["project_id"],
            "status": record["outcome"] if ready else "running",
            "source": "trigger",
            "ref": record["ref"],
            "sha": record["sha"],
            "web_url": f"{WEB}/-/pipelines/{record['id']}",
            "created_at": instant(record["created"]),
            "updated_at": instant(record["ready_at"] if ready else record["created"]),
        }


def _name(part: Part, record: Record) -> str:
    return str(record["attributes"]["key"] if part.key == "key" else record["id"])
