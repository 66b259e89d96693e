"""What an import came to, as text and as JSON. Used by the verb ``import``; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from agent.report.change_documents import key_document
from agent.report.documents import error_members
from agent.report.escape import clean
from agent.report.values import counted, table

if TYPE_CHECKING:
    from agent.cli.importing import Imported
    from agent.model.identity import Key

FORMAT = "datakeel.import/1"


def text_of(done: Sequence[Imported], *, strays: bool, verbose: bool) -> str:
    """A block for each target, then what to do next."""
    blocks = ["".join(f"{line}\n" for line in _block(each, strays=strays, verbose=verbose)) for each in done]
    text = "\n".join(blocks)
    if any(each.written for each in done):
        first = "set the secrets, then " if any(each.secrets for each in done) else ""
        text += f"next       {first}datakeel validate && datakeel diff; once committed, datakeel apply adopts them\n"
    return text


def _block(done: Imported, *, strays: bool, verbose: bool) -> Iterator[str]:
    found = done.survey
    yield f"{clean(done.target)} · {found.target.platform.name}"
    if strays:
        yield from _rows([("stray", key, found.strays[key].health) for key in sorted(found.strays)])
    else:
        yield from _rows([("imported", key, path) for key, path in sorted(done.written.items())])
    yield from _rows([("in git", key, place) for key, place in sorted(found.kept.items())] if verbose else [])
    yield from _rows([("ours", key, "in the inventory") for key in sorted(found.ours)] if verbose else [])
    yield from _rows([("left", key, why) for key, why in sorted(found.left.items())])
    yield from _rows([("failed", key, _told(error)) for key, error in sorted(done.failed.items())])
    yield from (f"failed     {_told(error)}" for error in found.faults)
    yield from (f"refused    {kind}: {why}" for kind, why in sorted(found.refused.items()))
    yield from _kinds(done)
    yield from (f"note       {note}" for note in dict.fromkeys(found.notes))
    yield from _secrets(done)
    yield from _sums(done, strays=strays)


def _rows(rows: Sequence[tuple[str, Key, str]]) -> list[str]:
    return table([[word.ljust(9), clean(key.path, 120), clean(told, 300)] for word, key, told in rows])


def _kinds(done: Imported) -> Iterator[str]:
    by_reason: dict[str, list[str]] = {}
    for kind, reason in sorted(done.survey.kinds.items()):
        by_reason.setdefault(reason, []).append(kind)
    for reason, kinds in by_reason.items():
        yield f"not asked  {', '.join(kinds)}: {reason}"


def _secrets(done: Imported) -> Iterator[str]:
    secrets = done.secrets
    if not secrets:
        return
    yield f"secrets    to set in datakeel.yaml, below targets.{clean(done.target)}.secrets:"
    words = [[f"  {name}: {{env: {_variable(name)}}}", _places(uses)] for name, uses in sorted(secrets.items())]
    yield from table(words)


def _places(uses: Sequence[tuple[Key, str]]) -> str:
    return "; ".join(f"{clean(key.path, 100)} {place}" for key, place in uses)


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")


def _sums(done: Imported, *, strays: bool) -> Iterator[str]:
    found, calls = done.survey, counted(done.calls, "call")
    parts = [f"{len(found.kept)} in git already"] if found.kept else []
    parts += [f"{len(found.ours)} ours"] if found.ours else []
    parts += [f"{len(found.left)} left alone"] if found.left else []
    failures = len(done.failed) + len(found.faults)
    parts += [f"{failures} failed"] if failures else []
    if strays:
        yield f"strays     {', '.join([f'{len(found.strays)} neither in git nor ours', *parts])} · {calls}"
        return
    made = f"{counted(len(done.written), 'resource')} into {counted(done.files, 'file')}"
    if done.secrets:
        parts.append(f"{counted(len(done.secrets), 'secret')} to set")
    yield f"imported   {', '.join([made, *parts])} · {calls}"
    if done.written:
        alike = len(done.written) - len(done.waiting)
        told = f"{alike} of {len(done.written)} read back as they are live"
        if done.waiting:
            told += f"; {len(done.waiting)} hold secrets that are not shown, so `datakeel adopt` has to take them over"
        yield f"check      {told}"
    if done.schema is not None:
        yield f"editor     {clean(done.schema)}: completion and errors in these files; commit it with them"
    if done.outside and done.written:
        yield f"note       the target reads {clean(done.outside)}, and these files stand elsewhere"


def _told(error: Any) -> str:
    text = f"{error.what}" + (f" ({error.why})" if error.why else "")
    return clean(f"error[{error.error_code}]: {text}" + (f"; fix: {error.fix}" if error.fix else ""), 400)


def document_of(done: Sequence[Imported], *, strays: bool) -> dict[str, Any]:
    """The same as one document."""
    return {
        "format": FORMAT,
        "complete": not any(each.failed or each.survey.faults or each.survey.refused for each in done),
        "targets": [_target(each, strays=strays) for each in done],
    }


def _target(done: Imported, *, strays: bool) -> dict[str, Any]:
    found = done.survey
    return {
        "target": done.target,
        "platform": found.target.platform.api_version,
        "imported": [
            {**key_document(key), "file": path, "waits_for_secrets": list(done.manifests[key].waits)}
            for key, path in sorted(done.written.items())
        ],
        "strays": [{**key_document(key), "health": row.health} for key, row in sorted(found.strays.items())]
        if strays
        else [],
        "in_git": [{**key_document(key), "at": place} for key, place in sorted(found.kept.items())],
        "ours": [key_document(key) for key in sorted(found.ours)],
        "left": [{**key_document(key), "why": why} for key, why in sorted(found.left.items())],
        "failed": [{**key_document(key), **error_members(error)} for key, error in sorted(done.failed.items())],
        "errors": [error_members(error) for error in found.faults],
        "refused": dict(sorted(found.refused.items())),
        "not_asked": dict(sorted(found.kinds.items())),
        "notes": list(dict.fromkeys(found.notes)),
        "secrets": [
            {"name": name, "uses": [{**key_document(key), "path": place} for key, place in uses]}
            for name, uses in sorted(done.secrets.items())
        ],
        "files": done.files,
        "schema": done.schema,
        "calls": done.calls,
    }
