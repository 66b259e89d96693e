"""An emulator of the DataChain Studio REST API, written by hand from its API page and what its clients send.

As printed: datasets, storage, files, jobs, clusters and log following below `/api`, `Authorization: token …`, the team
in the query of a GET and in the body of all else. Not printed, but sent by the vendor's clients: `Bearer`, edit and
delete of datasets, device login, and a newer route family (`jobs/`, `jobs/files`, `clusters/`) over the same jobs. No
limits are stated, so there are none. Left out for want of a description: pipelines. A comment says *guess* where all of
them are silent.

Driven by :mod:`agent.sandbox.app`; imports nothing of the agent, least of all its definition of this platform.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from agent.sandbox.datachain_studio_bodies import (
    MSGPACK_TYPE,
    asks_for_msgpack,
    invalid,
    msgpack,
    read_body,
    read_upload,
    refusal_for,
    refused,
    required,
)
from agent.sandbox.datachain_studio_clusters import newer
from agent.sandbox.datachain_studio_datasets import (
    edited,
    full_name,
    listing,
    made_by,
    name_of,
    row,
    without_version,
)
from agent.sandbox.datachain_studio_jobs import listed, shown
from agent.sandbox.datachain_studio_login import DeviceLogin
from agent.sandbox.datachain_studio_logs import Logs
from agent.sandbox.datachain_studio_team import Teams
from agent.sandbox.messages import Answer, Refusal, Request, json_answer, json_bytes
from agent.sandbox.world import Author, Token, World

_READ, _DATASETS, _JOBS, _FILES = "read", ("DATASETS",), ("EXPERIMENTS",), ("JOB", "EXPERIMENTS")
_SCOPES = frozenset({"DATASETS", "EXPERIMENTS", "MODELS", "JOB"})
"""A token with one of these is held to them; the scopes `read` and `write` are the sandbox's own."""

Call = tuple[Request, str, Mapping[str, Any]]
"""A request, its team, and its body."""


class DataChainStudio:
    name = "datachain-studio"
    rows = "/jobs /clusters /data /dataset_versions"
    total = ""
    position = ""

    def __init__(self, world: World) -> None:
        self._world = world
        self._teams = Teams(world, self.name)
        self._logs = Logs(world, self._teams.job)
        self._login = DeviceLogin(world)
        datasets: dict[str, Callable[[Call], Answer]] = {
            "GET": self._list_datasets,
            "POST": self._edit_dataset,
            "DELETE": self._delete_dataset,
        }
        older: dict[str, Callable[[Call], Answer]] = {"POST": self._create_job}
        self._routes: Mapping[str, tuple[tuple[str, ...], Mapping[str, Callable[[Call], Answer]]]] = {
            "datachain/datasets": (_DATASETS, datasets),
            "datachain/datasets/info": (_DATASETS, {"GET": self._dataset_info}),
            "datachain/datasets/dataset_job_versions": (_DATASETS, {"GET": self._job_versions}),
            "datachain/datasets/export": (_DATASETS, {"GET": self._export}),
            "datachain/datasets/export-status": (_DATASETS, {"GET": self._export}),
            "datachain/ls": (_DATASETS, {"POST": self._list_storage}),
            "datachain/upload-file": (_FILES, {"POST": self._upload}),
            "datachain/jobs/files": (_FILES, {"POST": self._upload_newer}),
            "datachain/job": (_JOBS, older),
            "datachain/jobs": (_JOBS, {"GET": self._list_jobs}),
            "datachain/jobs/": (_JOBS, {"GET": self._list_jobs_newer, "POST": self._create_job_newer}),
            "datachain/job/*/cancel": (_JOBS, {"POST": self._cancel}),
            "datachain/jobs/*/cancel": (_JOBS, {"POST": self._cancel}),
            "datachain/clusters": (_JOBS, {"GET": self._list_clusters}),
            "datachain/clusters/": (_JOBS, {"GET": self._list_clusters_newer}),
            "logs/follow/": (_JOBS, {"GET": self._follow}),
        }

    def answer(self, request: Request) -> Answer:
        try:
            logged = self._login.answer(request)
            if logged is not None:
                return logged
            token = self._authenticate(request)
            route = self._route(request)
            scopes, methods = self._routes[route]
            if request.method not in methods:
                raise refusal_for(405)
            held = _SCOPES.intersection(token.scopes)
            reads = request.method == "GET" or route == "datachain/ls"
            plain = _READ in token.scopes if reads else "write" in token.scopes
            if not (held.intersection(scopes) if held else plain):
                raise refusal_for(403)
            multipart = route == "datachain/jobs/files"
            body = {} if request.method == "GET" or multipart else read_body(request)
            team = self._team(request, token, None if request.method == "GET" or multipart else body)
            return methods[request.method]((request, team, body))
        except Refusal as refusal:
            return refused(refusal, packed=_is_packed(request))

    def error(self, status: int, request: Request, seconds: int = 60) -> Answer:
        answer = refused(refusal_for(status), packed=_is_packed(request))
        return replace(answer, headers=(("Retry-After", str(seconds)),)) if status == 429 else answer

    def write_log(self, job: str, message: str, *, level: str = "INFO") -> None:
        """Add a line to a job's log, now."""
        self._logs.write(job, level, message)

    def resources(self) -> list[Mapping[str, Any]]:
        """Every job, dataset, cluster and file, as reads show it, with its `kind` and its team as `workspace`."""
        return self._teams.resources()

    def person_create(self, document: Mapping[str, Any], person: str) -> Mapping[str, Any]:
        """By `kind`: a job as the API takes it, a dataset, a cluster, a file of storage. `workspace` is the team."""
        return self._teams.person_create(document, Author(person, person=True, method="POST"))

    def person_edit(
        self, type: str, name: str, workspace: str | None, change: Mapping[str, Any], person: str
    ) -> Mapping[str, Any]:
        """Of a dataset (`namespace.project.name`), a cluster or a file; jobs cannot be edited."""
        return self._teams.person_edit(type, name, workspace, change, Author(person, person=True, method="PUT"))

    def person_delete(self, type: str, name: str, workspace: str | None, person: str) -> None:
        """A job, by its id, is cancelled."""
        self._teams.person_delete(type, name, workspace, Author(person, person=True, method="DELETE"))

    # Requests

    def _authenticate(self, request: Request) -> Token:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        token = self._world.tokens.get(value.strip()) if scheme.lower() in ("token", "bearer") else None
        if token is None or (token.expires is not None and self._world.clock.now() >= token.expires):
            raise refusal_for(401)
        return token

    def _route(self, request: Request) -> str:
        base, *rest = request.segments or ("",)
        route = "/".join(rest)
        if base == "api":
            if len(rest) in (4, 5) and rest[3] == "cancel" and rest[2] and rest[4:] in ([], [""]):
                route = f"{rest[0]}/{rest[1]}/*/cancel"
            if route == "datachain/jobs/files/":
                route = "datachain/jobs/files"
            if route in self._routes:
                return route
        raise refusal_for(404)

    def _team(self, request: Request, token: Token, body: Mapping[str, Any] | None) -> str:
        """Where the page puts it, and nowhere else. A team that no call named before exists, with one cluster."""
        team = request.parameter("team_name") if body is None else body.get("team_name")
        if not isinstance(team, str) or not team:
            raise invalid("'team_name' is required")
        if token.workspaces is not None and team not in token.workspaces:
            raise refusal_for(403, f"Not authorized for the team {team}")
        self._teams.open(team)
        return team

    def _author(self, request: Request) -> Author:
        return Author(request.agent, method=request.method, request=request.number)

    # Datasets and storage

    def _list_datasets(self, call: Call) -> Answer:
        request, team, _ = call
        prefix = request.parameter("prefix") or ""
        datasets = self._teams.shelf.all("dataset", team, request.lag)
        return json_answer(200, [row(each) for each in datasets.values() if each["name"].startswith(prefix)])

    def _dataset_info(self, call: Call) -> Answer:
        request, team, _ = call
        query = {word: request.parameter(word) for word in ("namespace", "project", "name")}
        return json_answer(200, self._dataset(team, query, request.lag))

    def _dataset(self, team: str, words: Mapping[str, Any], lag: float = 0.0) -> Mapping[str, Any]:
        name = name_of(*(required(words, word) for word in ("namespace", "project", "name")))
        dataset = self._teams.shelf.get("dataset", team, name, lag)
        if dataset is None:
            raise refusal_for(404, "Dataset not found")
        return dataset

    def _edit_dataset(self, call: Call) -> Answer:
        request, team, body = call
        before = self._dataset(team, body)
        after = edited(before, body)
        self._teams.replace("dataset", team, full_name(before), full_name(after), before, after, self._author(request))
        return json_answer(200, after)

    def _delete_dataset(self, call: Call) -> Answer:
        request, team, body = call
        before = self._dataset(team, body)
        after = without_version(before, body)
        name = full_name(before)
        self._teams.replace("dataset", team, name, name, before, after, self._author(request))
        return json_answer(200, before if after is None else after)

    def _job_versions(self, call: Call) -> Answer:
        request, team, _ = call
        job = request.parameter("job_id") or ""
        return json_answer(
            200, {"dataset_versions": made_by(self._teams.shelf.all("dataset", team, request.lag).values(), job)}
        )

    def _export(self, call: Call) -> Answer:
        """An export that is done and holds nothing (a guess; the client downloads what is signed)."""
        request, team, _ = call
        dataset = self._dataset(team, dict(request.query))
        if request.segments[-1] == "export":
            return json_answer(200, {"export_id": dataset["id"], "signed_urls": []})
        return json_answer(200, {"status": "completed", "files_done": 0, "num_files": 0})

    def _list_storage(self, call: Call) -> Answer:
        request, team, body = call
        packed = _is_packed(request)
        source = required(body, "source")
        data: Any = None
        if not self._world.switches.indexing:
            data = listing(self._teams.shelf.all("file", team, request.lag), source, moments=packed)
        if packed:
            return Answer(status=200, body=msgpack({"data": data}), content_type=MSGPACK_TYPE)
        asked = request.headers.get("accept", "")
        answer = json_bytes({"data": data})
        return Answer(status=200, body=answer, content_type="application/json" if "json" in asked else MSGPACK_TYPE)

    # Files and jobs

    def _upload(self, call: Call) -> Answer:
        request, team, body = call
        name = required(body, "file_name")
        if not isinstance(body.get("file_content"), str):
            raise invalid("'file_content' is required")
        try:
            content = base64.b64decode("".join(body["file_content"].split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise invalid("'file_content' must be base64") from error
        return json_answer(200, {"blob": {"id": self._teams.add_blob(team, name, content, self._author(request))}})

    def _upload_newer(self, call: Call) -> Answer:
        request, team, _ = call
        return json_answer(200, {"id": self._teams.add_blob(team, *read_upload(request), self._author(request))})

    def _create_job(self, call: Call) -> Answer:
        request, team, body = call
        job = self._teams.add_job(team, body, self._author(request))
        return json_answer(200, {"job": {"id": job["id"], "url": job["url"]}})

    def _create_job_newer(self, call: Call) -> Answer:
        request, team, body = call
        job = self._teams.add_job(team, body, self._author(request), newer=True)
        return json_answer(200, shown(job, request.time))

    def _list_jobs(self, call: Call) -> Answer:
        return json_answer(200, {"jobs": self._jobs(call)})

    def _list_jobs_newer(self, call: Call) -> Answer:
        return json_answer(200, self._jobs(call))

    def _jobs(self, call: Call) -> list[dict[str, Any]]:
        request, team, _ = call
        at = self._world.clock.now() - request.lag
        return listed(request, self._teams.shelf.all("job", team, request.lag), at)

    def _cancel(self, call: Call) -> Answer:
        request, team, _ = call
        self._teams.cancel(team, request.segments[3], self._author(request))
        return json_answer(200, {"message": "Successfully canceled"})

    def _list_clusters(self, call: Call) -> Answer:
        request, team, _ = call
        return json_answer(200, {"clusters": [*self._teams.shelf.all("cluster", team, request.lag).values()]})

    def _list_clusters_newer(self, call: Call) -> Answer:
        request, team, _ = call
        clusters = self._teams.shelf.all("cluster", team, request.lag)
        return json_answer(200, [newer(each) for each in clusters.values()])

    def _follow(self, call: Call) -> Answer:
        """A WebSocket; who asks for it in plain HTTP is told so (a guess)."""
        request, team, _ = call
        if request.headers.get("upgrade", "").lower() != "websocket":
            raise refusal_for(426, "Upgrade to WebSocket required")
        stay = request.parameter("no_follow") != "true"
        return Answer(status=101, lines=self._logs.follow(team, request.parameter("job_id") or "", stay=stay))


def _is_packed(request: Request) -> bool:
    """The client of a listing of storage reads nothing but msgpack, of a refusal too."""
    return request.segments[-2:] == ("datachain", "ls") and asks_for_msgpack(request)
