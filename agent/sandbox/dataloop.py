"""An emulator of the Dataloop monitoring API of 2016, written by hand from its API page and what its clients send.

As printed: accounts, agents, dashboards, rules, plugins, links, tags, metrics, series and annotations below
`/api/v1/orgs/<org>/accounts/<account>`, a Bearer key, bare arrays, YAML in and out for dashboards and rules. Not
printed, but sent by the vendor's clients: lists and DELETE of dashboards and rules, POST and PATCH of rules, writes of
links, pings, and a few more paths. `//` in a path is `/`. No limits are stated, so there are none.
Statuses of refusals are guesses, but for 422 where a plugin exists.

Driven by :mod:`agent.sandbox.app`; imports nothing of the agent, least of all its definition of this platform.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from agent.sandbox.dataloop_agents import Agents, Tags
from agent.sandbox.dataloop_annotations import Annotations
from agent.sandbox.dataloop_bodies import Call, read_fields, refusal_for, refused, required
from agent.sandbox.dataloop_documents import Documents
from agent.sandbox.dataloop_extras import NamedLists
from agent.sandbox.dataloop_metrics import Metrics
from agent.sandbox.dataloop_plugins import Links, Plugins, org_id
from agent.sandbox.merge_patch import merged
from agent.sandbox.messages import Answer, Refusal, Request, json_answer
from agent.sandbox.shelf import Shelf
from agent.sandbox.world import Author, Token, World

DEFAULT_ACCOUNT = "default"
DEFAULT_SCOPE = f"acme/{DEFAULT_ACCOUNT}"
"""Where a person works who says no account."""

_HELD = ("dashboard", "rule", "plugin", "link", "annotation", "agent")


class Dataloop:
    name = "dataloop"
    rows = ""
    total = ""
    position = ""

    def __init__(self, world: World) -> None:
        self._world = world
        self._shelf = Shelf(world, self.name)
        self._documents = {each: Documents(self._shelf, each) for each in ("dashboard", "rule")}
        self._plugins = Plugins(self._shelf)
        self._links = Links(self._shelf)
        self._agents = Agents(world, self._shelf)
        self._annotations = Annotations(world, self._shelf)
        self._tokens = NamedLists(self._shelf, "user-token", 0)
        self._families: Mapping[str, Callable[[Call], Answer]] = {
            "agents": self._agents.answer,
            "annotations": self._annotations.answer,
            "dashboards": self._documents["dashboard"].answer,
            "links": self._links.answer,
            "metrics": Metrics(world, self._shelf).answer,
            "packs": NamedLists(self._shelf, "pack", 1).answer,
            "plugins": self._plugins.answer,
            "rules": self._documents["rule"].answer,
            "tags": Tags(self._shelf).answer,
            "templates": NamedLists(self._shelf, "template", 2).answer,
        }

    def answer(self, request: Request) -> Answer:
        try:
            token = self._authenticate(request)
            if ("read" if request.method == "GET" else "write") not in token.scopes:
                raise refusal_for(403)
            way = tuple(segment for segment in request.segments if segment)
            if way[:2] != ("api", "v1"):
                raise refusal_for(404)
            return self._routed(request, token, way[2:])
        except Refusal as refusal:
            return refused(refusal)

    def error(self, status: int, request: Request, seconds: int = 60) -> Answer:
        answer = refused(refusal_for(status))
        if status != 429:
            return answer
        return Answer(status=429, body=answer.body, headers=(("Retry-After", str(seconds)),))

    def resources(self) -> list[Mapping[str, Any]]:
        """Everything, as reads show it, with its `kind` and, as `workspace`, its org and account."""
        return [
            {**record, "kind": type_name, "workspace": scope}
            for type_name in ("account", *_HELD)
            for scope in self._shelf.scopes(type_name)
            for record in self._shelf.all(type_name, scope).values()
        ]

    # A person clicks: the same checks and commits, no key, no faults. `workspace` is `org/account`.

    def person_create(self, document: Mapping[str, Any], person: str) -> Mapping[str, Any]:
        """An account (its `workspace` is the org), dashboard, rule, plugin, link, agent, or annotation of a stream.

        Which, stands under `kind`; under `type` only where a document has no kind, for a plugin has a type of its own.
        """
        author = Author(person, person=True, method="POST")
        told = "kind" if "kind" in document else "type"
        fields = {word: value for word, value in document.items() if word not in (told, "workspace")}
        type_name, scope = document.get(told), document.get("workspace") or DEFAULT_SCOPE
        self._open(scope.partition("/")[0])
        if type_name == "account":
            return self._create_account(scope.partition("/")[0], fields, author)
        self._account(scope)
        if type_name in self._documents:
            if self._shelf.get(type_name, scope, required(fields, "name")) is not None:
                raise refusal_for(422, f"{type_name} already exists")
            return self._documents[type_name].put(scope, fields["name"], fields, author)
        if type_name == "plugin":
            return self._plugins.create(scope, fields, author)
        if type_name == "link":
            return self._links.create(scope, fields, author)
        if type_name == "annotation":
            return self._annotations.create(scope, required(fields, "stream"), fields, author)
        if type_name == "agent":
            identity = fields.get("id") or str(uuid.UUID(bytes=self._shelf.unique()[:16], version=4))
            return self._agents.ping(scope, identity, fields, author)
        raise refusal_for(422, f"a person creates one of account, {', '.join(_HELD)}")

    def person_edit(
        self, type: str, name: str, workspace: str | None, change: Mapping[str, Any], person: str
    ) -> Mapping[str, Any]:
        """By name; links, agents and annotations by id."""
        author, scope = Author(person, person=True, method="PUT"), workspace or DEFAULT_SCOPE
        if type in self._documents:
            body = merged(self._documents[type].find(scope, name), change)
            return self._documents[type].put(scope, name, body, author)
        if type == "plugin":
            return self._plugins.change(scope, name, change, author)
        before = self._shelf.get(type, scope, name)
        if before is None or type not in _HELD:
            raise refusal_for(404, f"{type} not found")
        after = merged(before, change)
        self._shelf.commit(type, scope, name, after, author, before=before, after=after)
        return after

    def person_delete(self, type: str, name: str, workspace: str | None, person: str) -> None:
        author, scope = Author(person, person=True, method="DELETE"), workspace or DEFAULT_SCOPE
        if type == "account":
            self._delete_account(scope.partition("/")[0], name, author)
            return
        before = self._shelf.get(type, scope, name)
        if before is None or type not in _HELD:
            raise refusal_for(404, f"{type} not found")
        self._shelf.commit(type, scope, name, None, author, before=before, after=None)

    # Requests

    def _authenticate(self, request: Request) -> Token:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        token = self._world.tokens.get(value.strip()) if scheme.lower() == "bearer" else None
        if token is None or (token.expires is not None and self._world.clock.now() >= token.expires):
            raise refusal_for(401)
        return token

    def _routed(self, request: Request, token: Token, way: tuple[str, ...]) -> Answer:
        author = Author(request.agent, method=request.method, request=request.number)
        if way[:1] == ("user",):
            return self._answer_user(request, token, way[1:], author)
        if way[:1] != ("orgs",):
            raise refusal_for(404)
        orgs = [*self._shelf.all("org", "", request.lag).values()]
        if len(way) == 1:
            return json_answer(200, [org for org in orgs if _may_use(token, org["name"])])
        org = way[1]
        if any("/" in segment for segment in way[1:4]):
            raise refusal_for(404)
        if not _may_use(token, org):
            raise refusal_for(403)
        self._open(org)
        if len(way) == 2:
            return json_answer(200, self._shelf.get("org", "", org))
        if way[2] != "accounts":
            raise refusal_for(404)
        if len(way) <= 4:
            return self._answer_accounts(request, org, way[3:], author)
        self._account(f"{org}/{way[3]}", request.lag)
        if way[4] not in self._families or (way[4] == "templates" and len(way) == 5):
            raise refusal_for(404)
        return self._families[way[4]](Call(request, f"{org}/{way[3]}", way[4:], author))

    def _answer_accounts(self, request: Request, org: str, way: tuple[str, ...], author: Author) -> Answer:
        if not way:
            if request.method == "GET":
                return json_answer(200, [*self._shelf.all("account", org, request.lag).values()])
            if request.method == "POST":
                return json_answer(200, self._create_account(org, read_fields(request), author))
        elif request.method == "GET":
            return json_answer(200, self._account(f"{org}/{way[0]}", request.lag))
        elif request.method == "DELETE":
            self._delete_account(org, way[0], author)
            return Answer(status=204)
        raise refusal_for(405)

    def _answer_user(self, request: Request, token: Token, way: tuple[str, ...], author: Author) -> Answer:
        if not way and request.method == "GET":
            return json_answer(200, {"name": token.owner})
        if way[:1] != ("tokens",):
            raise refusal_for(404)
        answer = self._tokens.answer(Call(request, token.owner, way[1:], author))
        if request.method != "POST" or len(way) > 1:
            return answer
        # Shown once, when it is made: the client prints the member `token`.
        made = self._world.create_token(None, owner=token.owner, scopes=token.scopes, workspaces=token.workspaces)
        return json_answer(200, {**json.loads(answer.body), "token": made.value})

    # Accounts

    def _open(self, org: str) -> None:
        """An org is there from its first mention, with the page's account `default` (a guess)."""
        if self._shelf.get("org", "", org) is None:
            self._shelf.keep("org", "", org, {"id": org_id(org), "name": org})
            self._shelf.keep("account", org, DEFAULT_ACCOUNT, self._new_account(DEFAULT_ACCOUNT))

    def _account(self, scope: str, lag: float = 0.0) -> Mapping[str, Any]:
        org, _, name = scope.partition("/")
        account = self._shelf.get("account", org, name, lag)
        if account is None:
            raise refusal_for(404, "account not found")
        return account

    def _new_account(self, name: str) -> dict[str, Any]:
        unique = self._shelf.unique()
        key = str(uuid.UUID(bytes=unique[:16], version=4))
        return {"agent_keys": [key], "id": unique.hex()[:24], "name": name}

    def _create_account(self, org: str, fields: Mapping[str, Any], author: Author) -> Mapping[str, Any]:
        name = required(fields, "name")
        if "/" in name:
            raise refusal_for(422, "name cannot be part of a path")
        if self._shelf.get("account", org, name) is not None:
            raise refusal_for(422, "account already exists")
        made = self._new_account(name)
        self._shelf.commit("account", org, name, made, author, before=None, after=made)
        return made

    def _delete_account(self, org: str, name: str, author: Author) -> None:
        """It takes with it what it holds; each of these is a commit of its own."""
        before = self._account(f"{org}/{name}")
        for type_name in _HELD:
            for each, held in [*self._shelf.all(type_name, f"{org}/{name}").items()]:
                self._shelf.commit(type_name, f"{org}/{name}", each, None, author, before=held, after=None)
        self._shelf.commit("account", org, name, None, author, before=before, after=None)


def _may_use(token: Token, org: str) -> bool:
    return token.workspaces is None or org in token.workspaces
