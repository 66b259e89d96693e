"""`/openapi.json` of the emulated Datalinx AI, made from the routes that are served and from nothing else.

The page only says that there is such a document. Called by :mod:`agent.sandbox.datalinx`.
"""

from __future__ import annotations

import re
from typing import Any

from agent.sandbox.datalinx_kinds import KINDS, ROUTES, Kind, Route

_WORD = re.compile(r"\{(\w+)\}")
_OPEN = ("login", "openapi")
_MOMENT = {"type": "string", "format": "date-time", "readOnly": True}


def openapi_document() -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Datalinx AI API", "version": "v1"},
        "servers": [{"url": "/api"}],
        "security": [{"bearer": []}, {"apiKey": []}],
        "paths": paths,
        "components": {
            "schemas": {_component(kind): _schema(kind) for kind in KINDS.values()} | {"Failure": _failure()},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": word, "in": "path", "required": True, "schema": {"type": "string"}}
        for word in _WORD.findall(route.path)
    ]
    if route.kind is not None and route.kind.scoped:
        parameters.append({"name": "X-Workspace", "in": "header", "required": True, "schema": {"type": "string"}})
    if route.does in ("list", "runs"):
        parameters.extend(
            {"name": name, "in": "query", "schema": {"type": "integer", "minimum": 1}} for name in ("page", "page_size")
        )
    operation: dict[str, Any] = {
        "operationId": f"{route.does}_{route.kind.type.replace('-', '_')}" if route.kind else route.does,
        "summary": route.summary,
        "parameters": parameters,
        "responses": {
            str(route.status): {"description": "Success", **_content(_answer(route))},
            "default": {"description": "Failure", **_content({"$ref": "#/components/schemas/Failure"})},
        },
    }
    if route.does in _OPEN:
        operation["security"] = []
    if route.does in ("create", "update") and route.kind is not None:
        operation["requestBody"] = {"required": True, **_content(_reference(route.kind))}
    return operation


def _answer(route: Route) -> dict[str, Any]:
    if route.does in _OPEN or route.kind is None:
        return {"type": "object"}
    shown: dict[str, Any] = {"type": "object"}
    if route.does in ("list", "get", "create", "update"):
        shown = _reference(route.kind)
    if route.does in ("list", "runs"):
        shown = {"type": "array", "items": shown}
    return {
        "type": "object",
        "required": ["status", "data"],
        "properties": {"status": {"const": "success"}, "data": shown},
    }


def _schema(kind: Kind) -> dict[str, Any]:
    word = {"type": "string", "minLength": 1, "maxLength": 255}
    return {
        "type": "object",
        "required": ["name"] if len(kind.names) == 1 else [],
        "properties": {
            "id": {"type": "string", "readOnly": True},
            **dict.fromkeys(kind.names, word),
            "config": {"type": "object"},
            "created_at": _MOMENT,
            "updated_at": _MOMENT,
        },
        "additionalProperties": True,
    }


def _failure() -> dict[str, Any]:
    words = ("message", "error_code")
    return {
        "type": "object",
        "required": ["status", *words],
        "properties": {"status": {"const": "failed"}, **{word: {"type": "string"} for word in words}},
    }


def _component(kind: Kind) -> str:
    return kind.title.title().replace(" ", "")


def _reference(kind: Kind) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{_component(kind)}"}


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}
