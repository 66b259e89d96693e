"""What the emulated Datalinx AI serves: kinds of records, routes to them. Read by the router and by `/openapi.json`.

The API page prints `GET /workspaces`, `GET /mappings` with two parameters, `POST /auth/login` and `GET /openapi.json`,
and names the other kinds without a path. Guesses, by convention: every other path and verb, the prefixes of ids but
`ws` and `pl`. From the vendor's other pages: mappings are addressed by the name of their table (served besides the
id), `/mappings/{table_name}/dbt-code` and `/tables`, `/permissions`, the paths of service accounts, which have no PUT.
Those pages also say that `/mappings` has no pages, which this page contradicts, and put schemas below
`/schema/config/…` without saying how one is made: not served.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ALL = ("GET", "POST", "PUT", "DELETE")


@dataclass(frozen=True, slots=True)
class Kind:
    type: str
    path: str
    title: str
    prefix: str
    scoped: bool = True
    """Lives in the workspace of the header `X-Workspace`."""
    verbs: tuple[str, ...] = ALL
    names: tuple[str, ...] = ("name",)
    """Words of a body that may give the name; each is shown."""
    names_agree: bool = True
    """They all say the same."""

    def code(self, suffix: str) -> str:
        """`WORKSPACE_NOT_FOUND`, and its like."""
        return f"{self.title.upper().replace(' ', '_')}_{suffix}"


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    """Below `/api`, with words in braces."""
    does: str
    summary: str
    kind: Kind | None = None
    status: int = 200


KINDS: Mapping[str, Kind] = {
    kind.type: kind
    for kind in (
        Kind("workspace", "workspaces", "Workspace", "ws", scoped=False),
        Kind("source", "sources", "Source", "src"),
        Kind("schema", "schemas", "Schema", "sch"),
        Kind("mapping", "mappings", "Mapping", "mp", names=("name", "table_name")),
        Kind("pipeline", "pipelines", "Pipeline", "pl"),
        Kind("audience", "audiences", "Audience", "aud"),
        Kind("query", "queries", "Query", "q"),
        Kind("monitoring", "monitoring", "Monitoring", "mon"),
        Kind("alert", "alerts", "Alert", "al"),
        Kind("user", "users", "User", "usr", scoped=False, names=("name", "email"), names_agree=False),
        Kind("role", "roles", "Role", "role", scoped=False),
        Kind("organization", "organizations", "Organization", "org", scoped=False, verbs=("GET", "POST", "PUT")),
        Kind(
            "service-account",
            "service-accounts",
            "Service account",
            "sa",
            scoped=False,
            verbs=("GET", "POST", "DELETE"),
        ),
    )
}

_PIPELINE, _MAPPING, _ACCOUNT = KINDS["pipeline"], KINDS["mapping"], KINDS["service-account"]
_MAPPING_PATH, _ACCOUNT_PATH = "/mappings/{table_name}", "/service-accounts/{id}"


def _routes_of(kind: Kind) -> list[Route]:
    one = _MAPPING_PATH if kind is _MAPPING else f"/{kind.path}/{{id}}"
    title = kind.title.lower()
    routes = (
        Route("GET", f"/{kind.path}", "list", f"List {kind.path.replace('-', ' ')}", kind),
        Route("POST", f"/{kind.path}", "create", f"Create a {title}", kind, 201),
        Route("GET", one, "get", f"Get a {title}", kind),
        Route("PUT", one, "update", f"Update a {title}", kind),
        Route("DELETE", one, "delete", f"Delete a {title}", kind),
    )
    return [route for route in routes if route.method in kind.verbs]


ROUTES: tuple[Route, ...] = (
    Route("POST", "/auth/login", "login", "Obtain a token"),
    Route("GET", "/openapi.json", "openapi", "This document"),
    *(route for kind in KINDS.values() for route in _routes_of(kind)),
    Route("GET", f"{_MAPPING_PATH}/dbt-code", "dbt_code", "The SQL of a mapping", _MAPPING),
    Route("GET", f"{_MAPPING_PATH}/tables", "tables", "The tables that a mapping reads", _MAPPING),
    Route("POST", "/pipelines/{id}/run", "run", "Run a pipeline", _PIPELINE, 201),
    Route("GET", "/pipelines/{id}/runs", "runs", "List the runs of a pipeline", _PIPELINE),
    Route("GET", "/pipelines/{id}/runs/{run_id}", "get_run", "Get a run", _PIPELINE),
    Route("GET", f"{_ACCOUNT_PATH}/api-key-info", "key_info", "About an API key, not the key", _ACCOUNT),
    Route("POST", f"{_ACCOUNT_PATH}/rotate-key", "rotate_key", "A new key for the old one", _ACCOUNT),
    Route("GET", "/permissions", "permissions", "List permissions"),
    Route("POST", "/analytics/query", "analyze", "Run an analytics query"),
)


def matching(segments: tuple[str, ...]) -> list[tuple[Route, tuple[str, ...]]]:
    """Routes of this path, whatever their method, with the values of the words in braces. A word that stands there
    literally wins over one in braces."""
    found = []
    for route, steps in _STEPS.get((len(segments), segments[0] if segments else ""), ()):
        pairs = list(zip(steps, segments, strict=True))
        if all(step == segment or (step.startswith("{") and segment) for step, segment in pairs):
            found.append((route, tuple(segment for step, segment in pairs if step.startswith("{"))))
    return found


_STEPS: dict[tuple[int, str], list[tuple[Route, tuple[str, ...]]]] = {}
for _route in ROUTES:
    _steps = tuple(_route.path.split("/")[1:])
    _STEPS.setdefault((len(_steps), _steps[0]), []).append((_route, _steps))
