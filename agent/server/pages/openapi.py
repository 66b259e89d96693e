"""The API described in OpenAPI 3.1: where each document is, what may be asked, and what comes back. Pure.

The shapes of the documents are in ``schemas.json`` beside this file, as JSON Schemas; tests hold real answers to them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent import __version__

SCHEMAS = Path(__file__).parent / "schemas.json"

# Path -> name of the document, what it is, and the words that may be asked.
PATHS: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    "/api/overview": ("Overview", "All targets at a glance, and what happens next", {}),
    "/api/resources": (
        "Resources",
        "Every resource with its state, what is not well first, in pages",
        {
            "q": "words that name, kind, scope, path or message hold",
            "target": "only of this target",
            "kind": "only of this kind",
            "state": "a state, `attention` or `all`; without it what needs attention, or all where nothing does",
            "after": "`next` of the page before",
        },
    ),
    "/api/resources/{target}/{kind}/{name}": (
        "Resource",
        "One resource; `name` begins with the names of its scope, each followed by a slash",
        {
            "live": "any word: read it on the platform now, which costs calls",
            "logs": "any word: read the end of the platform's own log of it, which costs calls",
        },
    ),
    "/api/plan": (
        "Plans",
        "What waits after the last whole pass, the most dangerous first",
        {"target": "only this one"},
    ),
    "/api/history": (
        "Passes",
        "Passes that did something, newest first",
        {"target": "only of this target", "before": "`next` of the page before"},
    ),
    "/api/history/{id}": ("Pass", "One pass in full, by number or id", {}),
    "/api/events": (
        "Lines",
        "The last lines of the agent's log, newest first",
        {"level": "`info`, `warning` or `error`: the least that is shown", "q": "words that a line holds"},
    ),
    "/api/health": ("Health", "The agent itself", {}),
    "/api/docs": ("Docs", "What is written about datakeel, and the kinds of the targets' platforms", {}),
    "/api/docs/{name}": ("Doc", "One page of it, as Markdown", {}),
    "/api/docs/explain": (
        "Explained",
        "What `datakeel explain` says of a word",
        {
            "word": "as it is typed: `unknown-key`, `Workflow.workflow.schedule`, `targets.drift`, `cost acme`",
            "platform": "the one that is meant, where several have the kind",
            "objects": "with `cost`: at so many objects of each kind",
        },
    ),
    "/api/docs/kinds/{platform}/{version}/{kind}": (
        "Explained",
        "What a manifest of a kind may say, and what is promised; what `datakeel explain` prints",
        {"member": "one member of it, such as `workflow.schedule.cron`"},
    ),
}
_ERRORS = {"400": "the query means nothing", "404": "nothing is known of it", "503": "the store cannot be read"}


def openapi_document() -> dict[str, Any]:
    """What ``/api/openapi.json`` answers."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "datakeel",
            "version": __version__,
            "description": "What the pages of a running agent show, as documents. Nothing is changed.",
        },
        "paths": {path: {"get": _operation(path, *words)} for path, words in PATHS.items()},
        "components": {
            "schemas": json.loads(SCHEMAS.read_text(encoding="utf-8")),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "server.auth.token, where there is one"}
            },
        },
        "security": [{}, {"token": []}],
    }


def _operation(path: str, name: str, summary: str, query: Mapping[str, str]) -> dict[str, Any]:
    placed = [word.strip("{}") for word in path.split("/") if word.startswith("{")]
    text = {"type": "string"}
    return {
        "operationId": name[:1].lower() + name[1:],
        "summary": summary,
        "parameters": [
            *({"name": word, "in": "path", "required": True, "schema": text} for word in placed),
            *({"name": word, "in": "query", "description": told, "schema": text} for word, told in query.items()),
        ],
        "responses": {
            "200": {"description": summary, "content": _json(name)},
            **{status: {"description": told, "content": _json("Error")} for status, told in _ERRORS.items()},
        },
    }


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
