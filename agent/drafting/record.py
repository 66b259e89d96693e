"""What was drafted before, kept beside it: a second draft writes only what nobody touched, and tells what changed.

``.draft.json`` holds the digest of the document and of each drafted file, the calls of the document, and the members of
each kind with their types. Pure: texts come in, texts and findings go out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.definitions.files import DEFINITION
from agent.drafting.document import Document
from agent.drafting.model import Draft
from agent.model.canonical import digest_bytes

RECORD = ".draft.json"
FORMAT = "datakeel.drafted/1"
_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class Record:
    """One earlier draft: digests of files by name, request lines, types of members by kind and pointer."""

    document: str
    files: Mapping[str, str]
    calls: tuple[str, ...]
    members: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Change:
    """What differs upstream: ``about`` is `call`, `kind` or `member`; ``how`` is `new`, `gone` or `changed`."""

    about: str
    how: str
    name: str
    was: str = ""
    is_: str = ""


@dataclass(frozen=True, slots=True)
class Writing:
    """What is to be done with the files of a folder: written, deleted, or left to whoever edited them."""

    write: Mapping[str, str]
    delete: tuple[str, ...]
    left: tuple[str, ...]


def record_text(
    document: Document, draft: Draft, files: Mapping[str, str], calls: Iterable[str], left: Mapping[str, str]
) -> str:
    """The record of a draft, as it is written. ``left`` are old digests of files that a person has edited since."""
    digests = {name: digest_bytes(text.encode()) for name, text in files.items()} | dict(left)
    words = {
        "format": FORMAT,
        "document": {"from": document.name, "title": document.title, "version": document.version},
        "digest": document.digest,
        "files": dict(sorted(digests.items())),
        "calls": sorted(calls),
        "members": {kind: dict(sorted(members_of(schema).items())) for kind, schema in sorted(draft.schemas.items())},
    }
    return json.dumps(words, indent=1, ensure_ascii=False) + "\n"


def read_record(text: str) -> Record | None:
    """A record; None where the text is none."""
    try:
        words = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(words, dict) or words.get("format") != FORMAT:
        return None
    files, calls, members = words.get("files"), words.get("calls"), words.get("members")
    if not isinstance(files, dict) or not isinstance(calls, list) or not isinstance(members, dict):
        return None
    known = {str(kind): one for kind, one in members.items() if isinstance(one, dict)}
    return Record(str(words.get("digest")), {str(k): str(v) for k, v in files.items()}, tuple(map(str, calls)), known)


def members_of(schema: Mapping[str, Any]) -> dict[str, str]:
    """The members of a schema to some depth, by pointer, each with what a value may be."""
    found: dict[str, str] = {}
    pending: list[tuple[str, Any, int]] = [("", schema, 0)]
    while pending:
        pointer, node, depth = pending.pop()
        if not isinstance(node, Mapping):
            continue
        if pointer:
            found[pointer] = _type(node)
        for name, member in node.get("properties", {}).items() if depth < _DEEPEST else ():
            pending.append((f"{pointer}/{name}", member, depth + 1))
    return found


def changes(before: Record, draft: Draft, calls: Iterable[str]) -> list[Change]:
    """What is new, gone or of another type since the draft before; kinds that are drafted for the first time apart."""
    found: list[Change] = []
    old, new = set(before.calls), set(calls)
    found += [Change("call", "gone", line) for line in sorted(old - new)]
    found += [Change("call", "new", line) for line in sorted(new - old)]
    for kind in sorted(before.members.keys() | draft.schemas.keys()):
        if kind not in before.members or kind not in draft.schemas:
            found.append(Change("kind", "new" if kind in draft.schemas else "gone", kind))
            continue
        was, now = before.members[kind], members_of(draft.schemas[kind])
        for pointer in sorted(was.keys() | now.keys()):
            how = "new" if pointer not in was else "gone" if pointer not in now else "changed"
            if was.get(pointer) != now.get(pointer):
                found.append(Change("member", how, kind + pointer, str(was.get(pointer, "")), now.get(pointer, "")))
    return found


def writing(before: Record | None, files: Mapping[str, str], there: Mapping[str, bytes | None]) -> Writing:
    """What may be written. ``there`` is what stands in the folder under the names of old and new files.

    A file is ours while its digest is that of the draft before. One that was deleted stays deleted. A schema belongs to
    the kinds of ``platform.yaml``: where that one is left, no schema comes and none goes.
    """
    recorded = before.files if before is not None else {}
    ours = {name for name, digest in recorded.items() if _is(there.get(name), digest)}
    gone = {name for name in recorded if there.get(name) is None}
    free = {name for name in files if there.get(name) is None and name not in recorded}
    write = {name: text for name, text in files.items() if name in ours or name in free}
    delete = tuple(sorted(name for name in ours if name not in files))
    if DEFINITION not in write and there.get(DEFINITION) is not None:
        write = {name: text for name, text in write.items() if name in ours}
        delete = ()
    unchanged = {name for name in write if there.get(name) == write[name].encode()}
    left = [
        name for name in files if name not in write and (there.get(name) is not None or name in gone or name in free)
    ]
    return Writing({n: t for n, t in write.items() if n not in unchanged}, delete, tuple(sorted(left)))


def _is(content: bytes | None, digest: str) -> bool:
    return content is not None and digest_bytes(content) == digest


def _type(node: Mapping[str, Any]) -> str:
    said = node.get("type")
    if isinstance(said, list):
        return " or ".join(str(one) for one in said)
    if isinstance(node.get("enum"), list):
        return "one of " + ", ".join(str(one) for one in node["enum"][:20])
    if isinstance(said, str):
        return said
    return str(node["$ref"]).rpartition("/")[2] if "$ref" in node else "anything"
