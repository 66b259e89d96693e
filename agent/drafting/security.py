"""How a credential travels, from the document's security schemes, those that it asks for by itself first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from agent.definitions.shapes import HEADER
from agent.drafting.document import Document
from agent.drafting.endpoints import resolved
from agent.drafting.model import Draft, Guess, high, low, medium
from agent.drafting.names import words_of

_PREFIX = re.compile(
    r"""(?i)["'`:\s(]((?:bearer|token|api-?key|apikey|basic|key|session))\s+(?:[<{\[$"'`]|token\b|x{3}|your|api|[0-9a-f]{8})"""
)
_SCHEMES_MAX = 6


def write_auth(document: Document, draft: Draft, prefix: str) -> None:
    """The word ``auth``; left out, and told, where the document declares no scheme that can be used."""
    schemes = _declared(document)
    found = [made for name in _ordered(document.value, schemes) for made in _schemes(name, schemes[name], prefix)]
    for name, words, guess in found[:_SCHEMES_MAX]:
        path = ("auth", name)
        if draft.said(path) is None and words not in (draft.said(("auth",)) or {}).values():
            draft.say(path, words, guess)
    if not found:
        draft.lost.append("the document declares no way to prove who one is: calls are sent without a credential")


def _ordered(value: Mapping[str, Any], schemes: Mapping[str, Any]) -> list[str]:
    """Those that all calls ask for before the others."""
    first: list[str] = []
    security = value.get("security")
    for one in security if isinstance(security, list) else []:
        if isinstance(one, Mapping):
            first += [str(name) for name in one if name in schemes and name not in first]
    return first + [name for name in schemes if name not in first]


def _schemes(name: str, scheme: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, dict[str, Any], Guess]]:
    called = _name(name)
    type_, way = str(scheme.get("type", "")), str(scheme.get("scheme", "")).lower()
    if type_ == "basic" or (type_ == "http" and way == "basic"):
        yield called, {"basic": {"user": "${secret.user}", "password": "${secret.password}"}}, high("HTTP basic")
    elif type_ == "http" and way == "bearer":
        yield called, _bearer(), high("HTTP bearer")
    elif type_ == "http":
        yield called, {"header": "Authorization", "value": f"{way or 'Bearer'} ${{secret.token}}"}, low(f"HTTP {way}")
    elif type_ == "apiKey":
        yield from _of_key(called, scheme)
    elif type_ in ("oauth2", "openIdConnect"):
        yield called, _bearer(), medium("OAuth: a token that is got elsewhere, sent as bearer")
        path = _token_path(scheme)
        if path is not None and path.startswith(f"{prefix}/"):
            login = {
                "request": f"POST {path}",
                "as": "form",
                "body": {"grant_type": "password", "username": "${secret.user}", "password": "${secret.password}"},
            }
            words = {"login": login, "token": "access_token", "lasts": "not_null(expires_in, `3600`)"}
            yield f"{called}Login", words | _bearer("token"), low("as RFC 6749 has it; many servers take JSON instead")


def _of_key(called: str, scheme: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any], Guess]]:
    header, place = scheme.get("name"), scheme.get("in")
    if not isinstance(header, str) or not HEADER.fullmatch(header):
        return
    if place == "header" and header.lower() == "authorization":
        prefix = _PREFIX.search(f" {scheme.get('description') or ''}")
        if prefix is not None:
            yield called, {"header": header, "value": f"{prefix[1]} ${{secret.token}}"}, high("as its description says")
        else:
            guess = low("a key in Authorization; whether a word such as Bearer stands before it is not said")
            yield called, {"header": header, "value": "${secret.token}"}, guess
    elif place == "header":
        yield called, {"header": header, "value": "${secret.key}"}, high("a key in a header")
    elif place == "query":
        yield called, {"query": header, "value": "${secret.key}"}, high("a key in the query, which ends in logs")
    elif place == "cookie":
        yield called, {"cookie": header, "value": "${secret.session}"}, medium("a session of a browser")


def login_paths(document: Document) -> list[str]:
    """The paths at which a token is to be had for a user and a password."""
    return [path for one in _declared(document).values() if (path := _token_path(one)) is not None]


def _declared(document: Document) -> dict[str, Mapping[str, Any]]:
    value = document.value
    named = value.get("securityDefinitions") if document.dialect == "2.0" else None
    named = named if document.dialect == "2.0" else _part(value, "components", "securitySchemes")
    return {str(name): resolved(document, one) for name, one in named.items()} if isinstance(named, Mapping) else {}


def _token_path(scheme: Mapping[str, Any]) -> str | None:
    """The path of an OAuth password flow on the same server; an address elsewhere is never asked."""
    url = _part(scheme, "flows", "password").get("tokenUrl")
    if scheme.get("type") == "oauth2" and scheme.get("flow") == "password":
        url = scheme.get("tokenUrl")
    if not isinstance(url, str) or "://" in url or url.startswith("//"):
        return None
    path = "/" + url.removeprefix("./").strip("/")
    return path if re.fullmatch(r"(?:/[A-Za-z0-9_-]+)+", path) else None


def _bearer(word: str = "secret.token") -> dict[str, Any]:
    return {"header": "Authorization", "value": f"Bearer ${{{word}}}"}


def _name(name: str) -> str:
    words = words_of(name) or ["scheme"]
    called = words[0] + "".join(word.capitalize() for word in words[1:4])
    return called if called[0].isalpha() else f"scheme{called}"


def _part(value: Mapping[str, Any], *names: str) -> Any:
    for name in names:
        inner = value.get(name)
        value = inner if isinstance(inner, Mapping) else {}
    return value
