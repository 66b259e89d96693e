"""The stored form of a checked file: compact JSON that gives back an equal value.

Called by ``cache``. Specs are not stored (the blob still has them) and come back as None.
"""

from __future__ import annotations

from typing import Any

import orjson

from agent.errors import Problem, Where
from agent.model.canonical import from_json, to_json
from agent.model.manifest import NO_LIFECYCLE, CheckedDocument, CheckedFile, Lifecycle, OverlayHead

# Filled as plain classes and then turned into the frozen ones of the same slots: see ``rows``.
_DocumentDraft: Any = type("_DocumentDraft", (), {"__slots__": CheckedDocument.__slots__})
_FileDraft: Any = type("_FileDraft", (), {"__slots__": CheckedFile.__slots__})


def pack(file: CheckedFile) -> bytes:
    """Raises TypeError for text that has no UTF-8 form; such a file is not worth keeping."""
    documents = [
        [
            document.document,
            document.line,
            document.column,
            document.kind,
            document.scope,
            document.name,
            document.digest,
            None if document.lifecycle == NO_LIFECYCLE else pack_lifecycle(document.lifecycle),
            document.references,
        ]
        for document in file.documents
    ]
    if not file.problems and not file.broken and not file.variables and not file.overlays and not file.applied:
        return orjson.dumps([documents])  # nearly all
    return orjson.dumps(
        [
            documents,
            [_pack_problem(problem) for problem in file.problems],
            file.broken,
            file.variables,
            [[head.document, head.line, head.column, head.select, head.digest, head.sound] for head in file.overlays],
            file.applied,
        ]
    )


def unpack(body: bytes) -> CheckedFile:
    packed = orjson.loads(body)
    documents = []
    for values in packed[0]:
        document = _DocumentDraft()
        (
            document.document,
            document.line,
            document.column,
            document.kind,
            scope,
            document.name,
            document.digest,
            lifecycle,
            references,
        ) = values
        document.scope = tuple([(word, name) for word, name in scope])
        document.lifecycle = NO_LIFECYCLE if lifecycle is None else unpack_lifecycle(lifecycle)
        document.references = tuple(map(tuple, references))
        document.spec = None
        document.__class__ = CheckedDocument
        documents.append(document)
    file = _FileDraft()
    file.documents = tuple(documents)
    file.problems, file.broken, file.variables, file.overlays, file.applied = (), (), (), (), ()
    if len(packed) > 1:
        file.problems = tuple(_unpack_problem(values) for values in packed[1])
        file.broken = tuple((kind, _pairs(scope), name) for kind, scope, name in packed[2])
        file.variables = tuple(packed[3])
        file.overlays = tuple(OverlayHead(*values) for values in packed[4])
        file.applied = tuple(packed[5])
    file.__class__ = CheckedFile
    checked: CheckedFile = file
    return checked


def _pairs(scope: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((word, name) for word, name in scope)


def pack_lifecycle(lifecycle: Lifecycle) -> list[Any]:
    return [
        lifecycle.depends_on,
        lifecycle.protect,
        lifecycle.drift,
        lifecycle.replace,
        lifecycle.create_only,
        lifecycle.ignore,
        lifecycle.moved_from,
        to_json(dict(lifecycle.actions)).decode() if lifecycle.actions else None,  # may hold decimals
        lifecycle.awaits,
    ]


def unpack_lifecycle(values: list[Any]) -> Lifecycle:
    depends_on, protect, drift, replace, create_only, ignore, moved_from, actions, awaits = values
    return Lifecycle(
        tuple(depends_on),
        protect,
        drift,
        replace,
        tuple(create_only),
        tuple(ignore),
        moved_from,
        from_json(actions) if actions else {},
        tuple((target, path) for target, path in awaits),
    )


def _pack_problem(problem: Problem) -> list[Any]:
    return [
        problem.code,
        problem.what,
        _pack_where(problem.where),
        problem.subject,
        problem.got,
        problem.why,
        problem.fix,
        problem.severity,
        [_pack_where(where) for where in problem.also],
    ]


def _unpack_problem(values: list[Any]) -> Problem:
    code, what, where, subject, got, why, fix, severity, also = values
    return Problem(code, what, Where(*where), subject, got, why, fix, severity, tuple(Where(*place) for place in also))


def _pack_where(where: Where) -> list[Any]:
    return [where.path, where.line, where.column]
