"""What ``notify`` says and where: the document of a file, the place of a job, a token by reference; then says it.

The file may come from a stranger's job. It is held to the schema that its format names, its size is bounded, and it
decides nothing about where it is told.
"""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from agent.clock import Clock
from agent.config.checks import is_loopback
from agent.errors import AgentError, UsageError
from agent.notify.environment import Name, forge_of, is_commit, place_of
from agent.notify.forge import Place
from agent.notify.telling import Page, Told
from agent.secrets import Secret

NOTIFY_FORMAT = "datakeel.notify/1"
SIZE_MAX = 64 << 20
_EVENT_MAX = 8 << 20
_SCHEMAS = ("plan", "report", "problems", "error")
_TOKENS = {"github": "env:GITHUB_TOKEN", "gitlab": "env:GITLAB_TOKEN"}


@dataclass(frozen=True, slots=True)
class Speech:
    """Everything that ``notify`` needs. ``unreadable`` is why the plan file was none; that is told in its place."""

    forge: Name
    place: Place
    token: Secret
    document: Mapping[str, Any]
    settings: Any
    graphql: str
    targets: tuple[str, ...]
    pending: bool
    comment: bool
    status: bool
    seconds: float
    unreadable: AgentError | None = None


def speech_of(arguments: Namespace) -> Speech:
    """From the words and the job's variables. UsageError where they lead nowhere, ConfigError without a token."""
    from agent.cli.output import use_redactor
    from agent.cli.shared import settings_of
    from agent.report.documents import error_document
    from agent.report.markdown import KEY
    from agent.secrets import Redactor

    if not KEY.fullmatch(arguments.key):
        raise UsageError(f"--key {arguments.key}: not a key", fix="up to 64 letters, digits, `.`, `_` and `-`")
    forge: Name | None = arguments.forge or forge_of(os.environ)
    if forge is None:
        raise UsageError(
            "no forge to tell: this is no job of GitHub or GitLab",
            fix="--forge, --repository and --commit say where, --pull which request",
        )
    place = _place(arguments, forge)
    token = _token(arguments.token_from or _TOKENS[forge])
    redactor = Redactor()
    redactor.add(token)
    use_redactor(redactor)
    unreadable, document = None, {}
    if not arguments.pending:
        try:
            document = read_document(Path(arguments.plan))
        except AgentError as error:
            unreadable, document = error, error_document(error)
    return Speech(
        forge,
        place,
        token,
        document,
        replace(
            settings_of(arguments), key=arguments.key, full=Path(arguments.plan).name, untrusted=arguments.untrusted
        ),
        os.environ.get("GITHUB_GRAPHQL_URL", "") if not arguments.api else "",
        tuple(arguments.target),
        arguments.pending,
        not arguments.no_comment and not arguments.pending,
        not arguments.no_status,
        arguments.retry_for,
        unreadable,
    )


async def speak(speech: Speech, clock: Clock) -> Told:
    """Statuses and comment, as far as the forge lets us."""
    from agent.notify import github, gitlab
    from agent.notify.client import Client
    from agent.notify.forge import ForgeError
    from agent.notify.statuses import pending, statuses_of
    from agent.notify.telling import Teller

    key = speech.settings.key
    make = pending(key, speech.targets) if speech.pending else statuses_of(speech.document, key, speech.targets)
    headers = (github if speech.forge == "github" else gitlab).headers(speech.token.reveal())
    async with Client(speech.place.api, headers, clock) as client:

        def teller(place: Place) -> Teller:
            at = (
                github.GitHub(client, place, speech.graphql)
                if speech.forge == "github"
                else gitlab.GitLab(client, place)
            )
            return Teller(at, clock, speech.seconds)

        place = speech.place
        failed: list[ForgeError] = []
        if speech.comment and place.pull is None and (place.head or speech.forge == "gitlab"):
            try:
                place = replace(place, pull=await teller(place).find_pull())
            except ForgeError as error:
                failed.append(error)
        page = _page(speech) if speech.comment and place.pull is not None else None
        told = await teller(place).tell(make if speech.status else [], page, place.commit)
    told.errors += failed
    if speech.comment and page is None and not failed:
        told.why = "no open pull request has this commit at its head"
    return told


def read_document(path: Path) -> dict[str, Any]:
    """The file as one of our documents. AgentError when it is not there, too large, or none of this version."""
    from agent.definitions.files import bundled_schemas
    from agent.json_schema import Schema
    from agent.live import strict_json

    def refuse(fault: str, why: str | None = None) -> AgentError:
        return AgentError(
            f"the plan file {path.name} {fault}",
            code="plan-unreadable",
            why=why,
            fix="look at the log of the command that should have written it",
        )

    try:
        if not path.is_file() and path.exists():
            raise refuse("is no regular file")
        if path.stat().st_size > SIZE_MAX:
            raise refuse(f"is larger than {SIZE_MAX} bytes")
        document = strict_json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise refuse("is not there", "the command that writes it did not come to its end") from error
    except OSError as error:
        raise refuse(f"cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise refuse("is not JSON") from error
    form = document.get("format") if isinstance(document, dict) else None
    name = next((name for name in _SCHEMAS if form == f"datakeel.{name}/1"), None)
    if name is None:
        raise refuse("is of no format that this version knows")
    schema = strict_json.loads((bundled_schemas() / f"{name}.schema.json").read_bytes())
    if faults := Schema(schema, f"schemas/{name}.schema.json").violations(document):
        raise refuse(f"is not what {form} says: {faults[0].what}")
    checked: dict[str, Any] = document
    return checked


def told_document(told: Told) -> dict[str, Any]:
    """``-o json``: what was told, and what could not be."""
    from agent import __version__
    from agent.report.documents import error_members

    return {
        "format": NOTIFY_FORMAT,
        "agent": __version__,
        "statuses": [
            {"name": status.name, "state": status.state, "description": status.description, "done": done}
            for status, done in told.statuses
        ],
        "comment": {"done": told.comment, "url": told.url or None, "why": told.why or None},
        "errors": [error_members(error) for error in told.errors],
    }


def _page(speech: Speech) -> Page:
    from agent.cli.output import scrubbed
    from agent.report.formats import render
    from agent.report.markdown import marker

    document = speech.document
    body = scrubbed(render("markdown", document, speech.settings))
    quiet = document.get("changes") == [] and not any(
        document.get(word) for word in ("problems", "errors", "refusals", "unmerged")
    )
    quiet = quiet or document.get("passes") == [] or ("manifests" in document and not document["problems"])
    return Page(marker(speech.settings.key), body, worth_a_comment=not quiet)


def _place(arguments: Namespace, forge: Name) -> Place:
    place = place_of(forge, os.environ, _event(os.environ.get("GITHUB_EVENT_PATH")) if forge == "github" else {})
    if arguments.repository is not None:
        place = replace(place, project=arguments.repository, status_project="", pipeline="")
    given = {"api": arguments.api, "pull": arguments.pull, "commit": arguments.commit, "link": arguments.link}
    place = replace(place, **{word: value for word, value in given.items() if value is not None})
    if not place.project:
        raise UsageError("no repository to tell", fix="--repository owner/name")
    if not is_commit(place.commit):
        raise UsageError("no commit to tell", fix="--commit SHA, in full")
    address = urlsplit(place.api)
    if address.scheme not in ("https", "http") or not address.hostname:
        raise UsageError(f"--api {place.api}: not an address", fix="--api https://git.example.com/api/v4")
    if address.scheme == "http" and not is_loopback(address.hostname):
        raise UsageError(f"--api {place.api}: the token would travel in clear", fix="write https://")
    return place


def _event(path: str | None) -> dict[str, Any]:
    """What set the job off, as the runner left it in a file."""
    import json

    if not path:
        return {}
    try:
        file = Path(path)
        event = json.loads(file.read_bytes()) if file.stat().st_size <= _EVENT_MAX else None
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"the event file {path} cannot be read", fix="--pull and --commit say the same") from error
    return event if isinstance(event, dict) else {}


def _token(text: str) -> Secret:
    from agent.secrets import Reference, read

    kind, _, value = text.partition(":")
    if kind == "env" and value:
        return read(Reference("env", value))
    if kind == "file" and value:
        return read(Reference("file", os.path.abspath(value)))  # noqa: PTH100 - a link must stay one
    raise UsageError("--token-from is no reference", fix="--token-from env:NAME, or file:PATH")
