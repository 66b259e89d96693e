"""The API described in OpenAPI 3.1: every document that a page shows, and every answer that is not one. Pure."""

from __future__ import annotations

from typing import Any

from agent import __version__


def openapi_document() -> dict[str, Any]:
    """What ``/api/openapi.json`` answers; held against real answers by the tests."""
    return {"openapi": "3.1.0", "info": {"title": "datakeel", "version": __version__}, "paths": {}}
