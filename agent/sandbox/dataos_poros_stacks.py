"""Which stacks the emulated DataOS knows: `GET …/resolve?stack=…`, asked by a client before it creates a workflow.

Known is the request, and that 200 means "supported". The stacks are those of the vendor's manifests, and what lives as
a resource of type `stack`; the body and the 404 for any other one are guesses. Called by
:mod:`agent.sandbox.dataos_poros`.
"""

from __future__ import annotations

from collections.abc import Iterable

from agent.sandbox.dataos_bodies import invalid
from agent.sandbox.dataos_documents import Document
from agent.sandbox.messages import Answer, Refusal, json_answer

_BUILT_IN = frozenset(
    {
        *("flare:3.0", "flare:4.0", "flare:5.0", "flare:6.0", "flare:7.0", "scanner:2.0", "soda:1.0"),
        *("soda+python:1.0", "python3:1.0", "nilus:1.0", "lakesearch:1.0", "container", "beacon+rest"),
    }
)


def resolved(stack: str | None, documents: Iterable[Document]) -> Answer:
    """Refusal 400 when none is asked for, 404 for one that nobody knows."""
    if not stack:
        raise invalid("'stack' is required", field="stack")
    if stack not in _BUILT_IN and stack not in {_identifier(document) for document in documents}:
        raise Refusal(404, "STACK_NOT_FOUND", f"Stack '{stack}' not found")
    name, _, version = stack.partition(":")
    return json_answer(200, {"name": name, "version": version})


def _identifier(document: Document) -> str:
    section = document.written.get("stack") or {}
    return f"{section.get('name')}:{section.get('version')}"
