"""From the parsed top-level words of a definition to the typed platform.

Called by ``load.py`` once the kinds are built. Pure translation with the defaults of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent.definitions.build_calls import action, values
from agent.definitions.expressions import Expression, Template
from agent.definitions.places import Leaf, Words, get
from agent.definitions.platform import (
    AuthScheme,
    BudgetRule,
    ErrorRule,
    EventRule,
    Kind,
    Login,
    NativeRule,
    Platform,
    ResponseRule,
    SubjectRule,
    Window,
)
from agent.definitions.shapes import Request

_NEVER = Expression("`false`")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a definition was read from, and the digest of all its files."""

    folder: str
    digest: str
    bundled: bool


def build_platform(words: Words, kinds: Mapping[str, Kind], response: ResponseRule, origin: Origin) -> Platform:
    """The typed platform; every word has been checked."""
    request = get(words, "request", {})
    probe: Request | None = get(words, "probe")
    openapi = get(words, "openapi")
    return Platform(
        name=get(words, "platform", ""),
        version=get(words, "version", ""),
        folder=origin.folder,
        digest=origin.digest,
        bundled=origin.bundled,
        server=get(words, "server"),
        settings=values(get(words, "settings", {})),
        base=get(words, "base"),
        auth=tuple(
            _scheme(name, leaf.value) for name, leaf in get(words, "auth", {}).items() if isinstance(leaf.value, dict)
        ),
        probe=probe.template if probe else None,
        subject=_subject(get(words, "subject", {})),
        request_headers=values(get(request, "headers", {})),
        request_query=values(get(request, "query", {})),
        request_body=values(get(request, "body", {})),
        request_bytes_max=get(request, "bodyMax"),
        response=response,
        errors=_errors(get(words, "errors", {})),
        budget=_budget(get(words, "budget", {})),
        openapi=openapi.source if openapi else None,
        native=tuple(_native(leaf.value) for leaf in get(words, "native", []) if isinstance(leaf.value, dict)),
        events=tuple(_event(leaf.value) for leaf in get(words, "events", []) if isinstance(leaf.value, dict)),
        kinds=kinds,
        queries={
            name: action(name, leaf.value)
            for name, leaf in get(words, "queries", {}).items()
            if isinstance(leaf.value, dict)
        },
    )


def response_rule(words: Words) -> ResponseRule:
    """``response``: what all operations take for granted."""
    response = get(words, "response", {})
    return ResponseRule(get(response, "ok"), get(response, "item"), get(response, "items"))


def secrets_of(scheme: Words) -> tuple[str, ...]:
    """The members of the target's credentials that a scheme needs, in the order written."""
    basic, login = get(scheme, "basic", {}), get(scheme, "login", {})
    templates: list[Template | None] = [get(login, "body"), get(basic, "user"), get(basic, "password")]
    templates.append(get(scheme, "value"))
    used = [word for template in templates if template is not None for word in template.words]
    return tuple(dict.fromkeys(word.removeprefix("secret.") for word in used if word.startswith("secret.")))


def _scheme(name: str, words: Words) -> AuthScheme:
    basic = get(words, "basic")
    user, password = (get(basic, "user"), get(basic, "password")) if basic is not None else (None, None)
    return AuthScheme(
        name=name,
        secrets=secrets_of(words),
        header=get(words, "header"),
        query=get(words, "query"),
        cookie=get(words, "cookie"),
        basic=(user, password) if user is not None and password is not None else None,
        value=get(words, "value"),
        login=_login(words),
    )


def _login(words: Words) -> Login | None:
    login = get(words, "login")
    request: Request | None = get(login, "request") if login is not None else None
    token: Expression | None = get(words, "token")
    if login is None or request is None or token is None:
        return None
    body: Template | None = get(login, "body")
    lasts: Expression | None = get(words, "lasts")
    until: Expression | None = get(words, "until")
    return Login(request.template, request.method, get(login, "as", "json"), body, token, lasts, until)


def _subject(words: Words) -> SubjectRule | None:
    request: Request | None = get(words, "request")
    found: Expression | None = get(words, "is")
    return SubjectRule(request.template, found) if request is not None and found is not None else None


def _errors(words: Words) -> ErrorRule:
    return ErrorRule(get(words, "code"), get(words, "message"), values(get(words, "is", {})))


def _budget(words: Words) -> BudgetRule:
    headers = {name: value.lower() for name, value in values(get(words, "headers", {})).items()}
    windows = tuple(_window(leaf) for leaf in get(words, "windows", []))
    return BudgetRule(
        windows=windows or BudgetRule().windows,
        shared_by=get(words, "sharedBy", "credential"),
        header_limit=headers.get("limit"),
        header_remaining=headers.get("remaining"),
        header_reset=headers.get("reset"),
        retry_after=get(words, "retryAfter"),
    )


def _window(leaf: Leaf) -> Window:
    return Window(leaf.get("requests", 1), leaf.get("every", 60.0), leaf.get("burst"))


def _native(words: Words) -> NativeRule:
    constants = values(get(words, "with", {}))
    metadata = values(get(words, "metadata", {}))
    consumed = frozenset(e.plain for e in (*constants.values(), *metadata.values()) if e.plain is not None)
    return NativeRule(get(words, "when", _NEVER), get(words, "kind"), constants, metadata, consumed)


def _event(words: Words) -> EventRule:
    constants = values(get(words, "with", {}))
    metadata = values(get(words, "metadata", {}))
    return EventRule(get(words, "when", _NEVER), get(words, "kind"), constants, metadata, get(words, "id"))
