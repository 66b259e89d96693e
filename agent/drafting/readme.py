"""The README of a drafted folder: what was drafted from which document, what was guessed, and what is to be done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.drafting.document import Document
from agent.drafting.model import Draft

README = "README.md"
_SHOWN = 60


def readme_text(document: Document, draft: Draft, folder: str, server: str | None) -> str:
    """``README.md`` of the folder."""
    name = draft.words["platform"]
    title = " ".join(part for part in (document.title, document.version) if part) or name
    parts = [
        f"# {name}",
        f"Drafted by `datakeel draft` from the OpenAPI document of {_plain(title)}.\n"
        "The document tells paths and bodies; it does not tell what may change, what is unique, which states there\n"
        "are, or how far a read lags behind a write. What was concluded is marked `guess, high|medium|low` in\n"
        "`platform.yaml`; nothing is written to the platform before you have confirmed it.",
        _kinds(draft),
        _todo(draft, folder, server),
        _target(draft, name, server),
        _lost(draft),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _kinds(draft: Draft) -> str:
    rows = ["| kind | path | named by | looked at by | written by |", "| --- | --- | --- | --- | --- |"]
    for kind, words in draft.words.get("kinds", {}).items():
        looks = ", ".join(word for word in ("list", "get") if word in words)
        writes = ", ".join(word for word in ("create", "apply", "update", "delete") if word in words)
        path, key = _plain(draft.notes.get(kind, "")), _plain(str(words.get("key", "")))
        rows.append(f"| {kind} | `{path}` | `{key}` | {looks} | {writes or 'nothing'} |")
    return "\n".join(rows)


def _todo(draft: Draft, folder: str, server: str | None) -> str:
    count = {
        word: sum(1 for one in draft.guesses.values() if one.confidence == word) for word in ("high", "medium", "low")
    }
    sure = ", ".join(f"{number} {word}" for word, number in count.items() if number)
    address = server or "https://…"
    return "\n".join(
        [
            "## What is to be done",
            "",
            f"1. `datakeel lint-platform {folder}` lists every guess with its line ({sure or 'none'}): read them,",
            "   the low ones first.",
            f"2. `datakeel probe {folder} --server {address}` asks a live server, by GET only: it saves redacted",
            "   answers as samples and says what they prove; with `--write` it takes the marks away that they prove.",
            "3. See a create, an update and a delete work, in a sandbox of the platform or on an object that nobody",
            "   needs: `confirmed: [Kind]` of a target lets one through. Then take `unverified` of the kind away.",
        ]
    )


def _target(draft: Draft, name: str, server: str | None) -> str:
    credentials: dict[str, str] = {}
    for scheme in draft.words.get("auth", {}).values():
        for secret in _secrets(scheme):
            credentials.setdefault(secret, f"{name}_{secret}".upper().replace("-", "_"))
        break
    lines = [
        "```yaml",
        "apiVersion: datakeel/v1",
        "source: {path: .}",
        "schemas: [platforms]                          # where this folder stands",
        "targets:",
        f"  {name}:",
        f"    platform: {name}",
        f"    server: {server or 'https://…'}",
    ]
    if credentials:
        lines.append("    credentials:")
        lines += [f"      {word}: {{env: {variable}}}" for word, variable in credentials.items()]
    if draft.words.get("settings"):
        lines.append("    settings: {" + ", ".join(f"{word}: …" for word in draft.words["settings"]) + "}")
    lines += ["    folder: manifests", "```"]
    return "## A target of it\n\n" + "\n".join(lines)


def _secrets(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [secret for one in value.values() for secret in _secrets(one)]
    text = str(value)
    return [part.partition("}")[0] for part in text.split("${secret.")[1:]]


def _lost(draft: Draft) -> str:
    lines = [f"- {_plain(one)}" for one in draft.lost[:_SHOWN]]
    if draft.left_out:
        lines.append(f"- calls that belong to no drafted kind ({len(draft.left_out)}), such as actions and reports:")
        lines += [f"  - `{_plain(one)}`" for one in draft.left_out[:_SHOWN]]
        if len(draft.left_out) > _SHOWN:
            lines.append(f"  - … and {len(draft.left_out) - _SHOWN} more")
    return "## What was left out\n\n" + "\n".join(lines) if lines else ""


def _plain(text: str) -> str:
    return "".join(char if char.isprintable() and char not in "`|<>" else " " for char in text)
