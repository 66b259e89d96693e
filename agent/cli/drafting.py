"""Reads an OpenAPI document, drafts a platform folder from it, and writes only files that nobody has touched.

Called by the verb ``draft``. One GET at most, of the document itself; redirects are not followed and nothing that the
document refers to is opened.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agent.cli.output import write_file
from agent.definitions.files import available, display
from agent.drafting import record
from agent.drafting.document import BYTES_MAX, CODE, Document, read_document
from agent.drafting.endpoints import endpoints
from agent.drafting.model import Draft
from agent.drafting.platform import draft_of
from agent.drafting.readme import README, readme_text
from agent.drafting.text import files_of
from agent.errors import AgentError, ConfigError, UsageError
from agent.live.connection import parse_server
from agent.report.escape import clean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from http.client import HTTPConnection

_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Drafted:
    """What was drafted and what became of it. ``before``: the folder held a draft; ``changes`` are upstream."""

    folder: str
    document: Document
    draft: Draft
    written: tuple[str, ...]
    deleted: tuple[str, ...]
    left: tuple[str, ...]
    changes: tuple[record.Change, ...]
    before: bool
    same_document: bool


def draft_into(source: str, folder: Path, *, platform: str | None, server: str | None, kinds: Sequence[str]) -> Drafted:
    """Draft into a folder. Raises ConfigError (``openapi-invalid``), UsageError, AgentError for what is not written."""
    if server is not None:
        parse_server(server, allow_http=True)
    is_url = source.startswith(("http://", "https://"))
    document = read_document(clean(source, 300), _fetched(source) if is_url else _read(source))
    draft = draft_of(document, platform=platform, kinds=kinds)
    if is_url:
        parts = urlsplit(source)
        if server is None:
            server = f"{parts.scheme}://{parts.netloc}"
        if server.startswith(f"{parts.scheme}://{parts.netloc}") and parts.path.startswith("/") and not parts.query:
            draft.say(("openapi",), parts.path)
    name = f"{draft.words['platform']}/{draft.words['version']}"
    if name in available():
        draft.lost.append(f"{name} is the name of a definition that travels with datakeel: --platform gives it another")
    shown = display(folder)
    files = files_of(document, draft) | {README: readme_text(document, draft, shown, server)}
    calls = [call.line for call in endpoints(document)]
    before = _record_of(folder)
    names = {*files, *(before.files if before is not None else ())}
    plan = record.writing(before, files, {name: _there(folder, name) for name in names})
    _carry_out(folder, plan)
    kept = {name: text for name, text in files.items() if name not in plan.left}
    left = {name: before.files[name] for name in plan.left if name in before.files} if before is not None else {}
    text = record.record_text(document, draft, kept, calls, left)
    if _there(folder, record.RECORD) != text.encode():
        write_file(folder / record.RECORD, text)
    changes = tuple(record.changes(before, draft, calls)) if before is not None else ()
    same = before is not None and before.document == document.digest
    return Drafted(shown, document, draft, tuple(plan.write), plan.delete, plan.left, changes, before is not None, same)


def _carry_out(folder: Path, plan: record.Writing) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {clean(str(folder), 200)}: {error.strerror}", fix="name a folder") from None
    for name, text in plan.write.items():
        write_file(folder / name, text)
    for name in plan.delete:
        (folder / name).unlink(missing_ok=True)


def _record_of(folder: Path) -> record.Record | None:
    content = _there(folder, record.RECORD)
    return record.read_record(content.decode("utf-8", "replace")) if content is not None else None


def _there(folder: Path, name: str) -> bytes | None:
    """What stands under a name; a folder or a link counts as something that a person made."""
    path = folder / name
    if path.is_symlink() or path.is_dir():
        return b"\0"
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{clean(str(path), 200)}: {error.strerror}") from None


def _read(source: str) -> bytes:
    try:
        with Path(source).open("rb") as file:
            return file.read(BYTES_MAX + 1)
    except OSError as error:
        fix = "name a file, or an address that begins with https://"
        raise UsageError(f"{clean(source, 200)} cannot be read: {error.strerror}", fix=fix) from None
    except ValueError:
        raise UsageError("the name of the document cannot be that of a file") from None


def _fetched(url: str) -> bytes:
    """The document behind an address, by one GET."""
    import http.client

    connection, path = _connection(url)
    shown = clean(url, 300)
    try:
        connection.request(
            "GET", path, headers={"Accept": "application/json, application/yaml, */*", "User-Agent": "datakeel"}
        )
        answer = connection.getresponse()
        if 300 <= answer.status < 400:
            where = clean(answer.getheader("Location") or "nowhere", 300)
            raise ConfigError(f"{shown} answers {answer.status}, a redirect", code=CODE, fix=f"name its goal: {where}")
        if answer.status != 200:
            fix = "save the document to a file, with whatever credential it needs, and name the file"
            raise ConfigError(f"{shown} answers {answer.status}", code=CODE, fix=fix)
        return answer.read(BYTES_MAX + 1)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise AgentError(f"{shown} cannot be fetched: {clean(reason, 200)}", code="api-unreachable") from None
    finally:
        connection.close()


def _connection(url: str) -> tuple[HTTPConnection, str]:
    import http.client
    import ssl

    origin = parse_server(url.partition("?")[0].rstrip("/"), allow_http=True)
    parts = urlsplit(url)
    if "#" in url or not url.isascii():
        raise UsageError("the address of the document is not plain")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if origin.scheme == "http":
        return http.client.HTTPConnection(origin.host, origin.port, timeout=_SECONDS), path
    context = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE"))
    return http.client.HTTPSConnection(origin.host, origin.port, timeout=_SECONDS, context=context), path
