"""How Poros shows things: a resource, the rows of a list, a workspace, an error.

No answer of Poros is public. Members and their places follow what the vendor's command line prints: the columns of
`resource get` (name, version, type, workspace, status, runtime, owner), the manifest that `resource get -d` gives back,
with the type's section at the top, and the columns of `workspace get`. That `status` is an object follows from the
`status: {}` that a client sends; the word in it, and the form of an error, are guesses. Called by
:mod:`agent.sandbox.dataos_poros`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent.sandbox.dataos_documents import Document
from agent.sandbox.dataos_poros_runtime import runtime, status
from agent.sandbox.dataos_secrets import sanitized
from agent.sandbox.messages import Answer, Refusal, json_answer

_COLUMNS = ("name", "version", "type", "workspace", "owner")
_META = ("name", "version", "type", "workspace", "tags", "description", "owner", "layer")


def resource(document: Document, at: float) -> dict[str, Any]:
    """The answer to a get: whole, less what is sensitive."""
    return {**_members(document, _META), **_standing(document, at), **sanitized(document.sections())}


def row(document: Document, at: float) -> dict[str, Any]:
    """What a list tells of a resource: the columns of the command line and no more, for nothing else is certain."""
    return {**_members(document, _COLUMNS), **_standing(document, at)}


def workspace(name: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """`record` is what the documented face keeps of it; empty where nobody has made it."""
    said = {"description": record["description"]} if "description" in record else {}
    return {
        "name": name,
        "version": "v1beta1",
        "type": "workspace",
        "layer": "user",
        "tags": ["dataos:type:workspace", "dataos:layer:user", f"dataos:workspace:{name}"],
        **said,
        "status": {"aggregateStatus": "active"},
    }


def refused(refusal: Refusal, seconds: int = 60) -> Answer:
    """Clients go by the status; the command line repeats a sentence."""
    headers = (("Retry-After", str(seconds)),) if refusal.status == 429 else ()
    return json_answer(refusal.status, {"message": refusal.message}, headers)


def _members(document: Document, words: Sequence[str]) -> dict[str, Any]:
    return {word: document.written[word] for word in words if word in document.written}


def _standing(document: Document, at: float) -> dict[str, Any]:
    return {"status": {"aggregateStatus": status(document, at)}, "runtime": runtime(document, at)}
