"""The rules of the configuration that a schema cannot word well: durations, addresses, references, names of branches.

Pure: takes the document as it was read and yields faults; ``config.load`` gives them their places. A place that has a
fault here is not reported a second time by the schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from agent.config.faults import Fault, as_text, join
from agent.config.overlays import folder_faults
from agent.config.references import reference_faults
from agent.json_schema.formats import is_cron

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION_BOUNDS = {
    "interval": ("1s", "1d"),
    "verify": ("1s", "30d"),
    "ready_timeout": ("1s", "1d"),
    "deadline": ("100ms", "10m"),
    "per": ("100ms", "31d"),
    "lasts": ("1m", "31d"),
    "lease": ("1s", "1h"),
    "patience": ("0s", "1d"),
}
_OF_A_REPOSITORY = (
    *("branch", "tag", "commit", "signers"),
    *("credentials", "known_hosts", "ca_file", "proxy", "allow_http"),
)
_HEX_ID = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
_BAD_IN_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")


def find_faults(document: Mapping[str, Any]) -> Iterator[Fault]:
    """All faults of the whole document. Parts of an unexpected type are left to the schema."""
    source = document.get("source")
    if isinstance(source, dict):
        yield from _source(source)
    yield from reference_faults(("snapshot",), document.get("snapshot"))
    yield from duration_faults((), document, ("lease",))
    targets = document.get("targets")
    if isinstance(targets, dict):
        for name, target in targets.items():
            yield from _target_name(name)
            if isinstance(target, dict):
                yield from _target(("targets", name), target)


def seconds_of(text: str) -> float:
    """A duration that passed the checks, in seconds."""
    found = _DURATION.fullmatch(text)
    assert found is not None
    seconds = int(found[1]) * _UNIT_SECONDS[found[2]]
    return round(seconds, 3)


def share_of(value: Any) -> float:
    """``20%`` or ``0.2`` as a fraction."""
    return int(value[:-1]) / 100 if isinstance(value, str) else float(value)


def _source(source: Mapping[str, Any]) -> Iterator[Fault]:
    given = [word for word in ("url", "path", "mount") if source.get(word) is not None]
    if len(given) != 1:
        both = " and ".join(f"`{word}`" for word in given)
        what = f"`source` has {both}" if given else "`source` needs a `url`, a `path` or a `mount`"
        fix = "keep one: url for a remote repository, path for a local one, mount for a folder that git-sync publishes"
        yield Fault("/source", "source-invalid", what, fix=fix)
    elif given == ["mount"]:
        for word in _OF_A_REPOSITORY:
            if word in source:
                what = f"`{word}` belongs to a repository, and `mount` is a folder that somebody else publishes"
                yield Fault(join("source", word), "source-invalid", what, fix="say it to the publisher", at="key")
    yield from reference_faults(("source", "hook"), source.get("hook"))
    if isinstance(source.get("url"), str):
        yield from _git_url(source["url"], source.get("allow_http") is True)
    pins = [word for word in ("branch", "tag", "commit") if source.get(word) is not None]
    for word in pins[1:]:
        yield Fault(join("source", word), "source-invalid", f"`{word}` and `{pins[0]}` exclude each other", at="key")
    for word in ("branch", "tag"):
        if isinstance(source.get(word), str):
            yield from _ref_name(word, source[word])
    commit = source.get("commit")
    if isinstance(commit, str) and not _HEX_ID.fullmatch(commit):
        yield Fault(
            "/source/commit",
            "source-invalid",
            "`commit` is not a commit id",
            as_text(commit),
            "write all 40 hex digits",
        )
    yield from duration_faults(("source",), source, ("interval",))
    yield from reference_faults(("source", "credentials"), source.get("credentials"))
    yield from _proxy(("source",), source)


def _target_name(name: str) -> Iterator[Fault]:
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?", name):
        what = "the name of a target has letters, digits, `-` and `_`, 63 at most, a letter or digit at either end"
        yield Fault(join("targets", name), "config-invalid", what, as_text(name), at="key")


def _target(at: tuple[str, ...], target: Mapping[str, Any]) -> Iterator[Fault]:
    if isinstance(target.get("server"), str):
        yield from server_faults(join(*at, "server"), target["server"], target.get("allow_http") is True)
    yield from duration_faults(at, target, ("ready_timeout", "deadline"))
    by_kind = target.get("verify")
    if isinstance(by_kind, dict):
        yield from duration_faults((*at, "verify"), by_kind, tuple(by_kind), bounds="verify")
    else:
        yield from duration_faults(at, target, ("verify",))
    budget = target.get("budget")
    for index, window in enumerate(budget if isinstance(budget, list) else ()):
        if isinstance(window, dict):
            yield from duration_faults((*at, "budget", str(index)), window, ("per",))
    windows = target.get("windows")
    for index, window in enumerate(windows if isinstance(windows, list) else ()):
        if isinstance(window, dict):
            yield from _window((*at, "windows", str(index)), window)
    for word in ("credentials", "secrets", "hook"):
        yield from reference_faults((*at, word), target.get(word))
    yield from folder_faults(at, target)
    yield from share_faults(join(*at, "reserve"), target.get("reserve"), 0.95)
    yield from _proxy(at, target)


def _window(at: tuple[str, ...], window: Mapping[str, Any]) -> Iterator[Fault]:
    yield from duration_faults(at, window, ("lasts",))
    given = [word for word in ("allow", "deny") if word in window]
    if len(given) != 1:
        what = "a window either allows or denies" if given else "the window says neither `allow` nor `deny`"
        yield Fault(join(*at), "config-invalid", what, fix='allow: "0 22 * * 1-5", or deny: the same')
    for word in given:
        if isinstance(window[word], str) and not is_cron(window[word]):
            what = f"`{word}` is not a cron expression"
            fix = "write five fields: 0 22 * * 1-5"
            yield Fault(join(*at, word), "config-invalid", what, as_text(window[word]), fix)
    zone = window.get("timezone")
    if isinstance(zone, str) and not is_zone(zone):
        fix = "write a name of the IANA database, such as Europe/Berlin"
        yield Fault(join(*at, "timezone"), "config-invalid", "no such time zone", as_text(zone), fix)


def is_zone(name: str) -> bool:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def duration_faults(
    at: tuple[str, ...], holder: Mapping[str, Any], words: tuple[str, ...], *, bounds: str = ""
) -> Iterator[Fault]:
    """``bounds`` names the word whose bounds hold, where ``words`` are not such."""
    for word in words:
        if word not in holder:
            continue
        value, pointer = holder[word], join(*at, word)
        low, high = _DURATION_BOUNDS[bounds or word]
        if not isinstance(value, str) or not _DURATION.fullmatch(value):
            what = f"`{word}` is not a duration"
            yield Fault(pointer, "duration-invalid", what, as_text(value), _as_duration(value))
        elif not seconds_of(low) <= seconds_of(value) <= seconds_of(high):
            yield Fault(pointer, "duration-invalid", f"`{word}` must be between {low} and {high}", as_text(value))


def _as_duration(value: Any) -> str:
    """What the author most likely meant."""
    text = str(value).strip()
    if not isinstance(value, bool) and re.fullmatch(r"[1-9][0-9]{0,5}", text):
        return f"write a unit: {text}s"
    spaced = re.fullmatch(r"([1-9][0-9]{0,5})\s+(ms|s|m|h|d)", text)
    iso = re.fullmatch(r"P(?:T([0-9]+)([HMS])|([0-9]+)(D))", text)
    if spaced:
        return f"write {spaced[1]}{spaced[2]}"
    if iso:
        return f"write {iso[1] or iso[3]}{(iso[2] or iso[4]).lower()}"
    return "write a whole number and a unit, such as 60s, 5m or 1h"


def share_faults(pointer: str, value: Any, most: float) -> Iterator[Fault]:
    """What is wrong with a share that may be ``most`` at the most."""
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,3}%", value):
        yield Fault(pointer, "config-invalid", "not a percentage", as_text(value), "write 20% or 0.2")
    elif value is not None and not isinstance(value, bool | dict | list) and share_of(value) > most:
        yield Fault(pointer, "config-invalid", f"at most {most:.0%} is possible", as_text(value))


def _ref_name(word: str, name: str) -> Iterator[Fault]:
    pointer, fix = join("source", word), None
    if word == "branch" and _HEX_ID.fullmatch(name):
        fault, fix = "a commit id where the name of a branch is due", f"write commit: {name}"
    elif name.startswith("refs/") and ".." not in name:
        fault, fix = "a full ref where a short name is due", f"write {word}: {name.split('/', 2)[-1]}"
    elif (
        not name
        or name[0] in "-/."
        or name[-1] in "/."
        or name == "@"
        or _BAD_IN_REF.search(name)
        or any(part.endswith(".lock") or part.startswith(".") for part in name.split("/"))
    ):
        fault = "not a name that git allows"
    else:
        return
    yield Fault(pointer, "source-invalid", f"`{word}` is {fault}", as_text(name), fix)


def _git_url(url: str, allow_http: bool) -> Iterator[Fault]:
    def fault(what: str, fix: str | None = None, *, shown: bool = True) -> Fault:
        return Fault("/source/url", "source-invalid", f"`url` {what}", as_text(url) if shown else None, fix)

    if url.startswith("-") or _has_blank(url):
        yield fault("is not the address of a repository")
    elif re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*@[A-Za-z0-9.-]+:[^:]\S*", url):
        return
    elif url.startswith(("https://", "http://", "ssh://")):
        try:
            parts = _split(url)
            parts.port  # noqa: B018 - raises when it is not a port
        except ValueError:
            yield fault("is not an address")
            return
        if parts.password is not None or (parts.username and parts.scheme != "ssh"):
            yield fault("holds a credential", "write it as source.credentials.token: {env: NAME}", shown=False)
        elif not parts.hostname or parts.hostname.startswith("-") or parts.query or parts.fragment:
            yield fault("is not the address of a repository")
        elif parts.scheme == "http" and not allow_http and not is_loopback(parts.hostname):
            yield fault("is not encrypted", "write https://, or set source.allow_http: true")
    elif not url.startswith("file:///"):
        yield fault("must start with https://, ssh:// or file:///", "for a local repository write path: instead")


def server_faults(
    pointer: str,
    server: str,
    allow_http: bool,
    *,
    word: str = "server",
    credential: str = "write it under credentials, as a reference",
) -> Iterator[Fault]:
    """What is wrong with the address of a platform's API (bad-inputs 192); the first fault only.

    ``word`` is its key, and ``credential`` what to do about one that stands in it.
    """

    def fault(what: str, fix: str | None = None, *, shown: bool = True) -> Fault:
        return Fault(pointer, "server-invalid", f"`{word}` {what}", as_text(server) if shown else None, fix)

    if _has_blank(server) or "\\" in server:
        yield fault("holds a blank, a control character or a backslash")
        return
    if not server.startswith(("https://", "http://")):
        yield fault("must start with https://", f"write https://{server}" if "://" not in server else None)
        return
    try:
        parts = _split(server)
        port = parts.port
    except ValueError:
        yield fault("is not an address: host or port cannot be read")
        return
    host = parts.hostname or ""
    segments = parts.path.lower().replace("%2e", ".").split("/")
    if "@" in parts.netloc:
        yield fault("holds a user or a password", credential, shown=False)
    elif parts.query or parts.fragment or "?" in server or "#" in server:
        yield fault("may hold neither a query nor a fragment", None if word == "server" else credential, shown=False)
    elif not host or port == 0:
        yield fault("names no host, or port 0")
    elif not host.isascii():
        yield fault("holds letters outside ASCII, which can look like others", "write the host's xn-- form")
    elif "%" in host or not re.fullmatch(r"[0-9a-z_]([0-9a-z._-]*[0-9a-z])?|[0-9a-f:.]+", host) or ".." in host:
        yield fault("has a host that cannot be a name or an address")
    elif ".." in segments or "." in segments or "" in segments[1:-1]:
        yield fault("has a path with `.`, `..` or an empty part")
    elif parts.scheme == "http" and not allow_http and not is_loopback(host):
        yield fault("is not encrypted: the credential would travel in clear", "write https://, or set allow_http: true")


def normal_server(server: str) -> str:
    """A checked address with scheme and host in lower case and without slashes at its end."""
    parts = _split(server)
    return parts._replace(netloc=parts.netloc.lower()).geturl().rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether what is sent there stays on this machine."""
    return host in ("localhost", "::1") or re.fullmatch(r"127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}", host) is not None


def _proxy(at: tuple[str, ...], holder: Mapping[str, Any]) -> Iterator[Fault]:
    proxy = holder.get("proxy")
    if not isinstance(proxy, str):
        return
    pointer = join(*at, "proxy")
    try:
        parts = _split(proxy)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if "@" in proxy:
        yield Fault(pointer, "config-invalid", "`proxy` holds a user or a password; it takes an address only")
    elif not usable:
        yield Fault(pointer, "config-invalid", "`proxy` is not http://HOST:PORT", as_text(proxy))


def _has_blank(text: str) -> bool:
    return any(character <= " " or "\x7f" <= character <= "\xa0" for character in text)


def _split(url: str) -> SplitResult:
    from urllib.parse import urlsplit

    return urlsplit(url)
