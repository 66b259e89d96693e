"""Judges the address and the ref that the operator configured, before git sees either.

Called by ``open_source``. Anything doubtful is refused with ``source-url`` or ``source-ref``; the sentence never
repeats the address, which may hold a secret.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from agent.errors import ConfigError
from agent.source.objects import is_object_id

_URL_MAX = 2048
_SCP = re.compile(
    r"(?P<user>[A-Za-z0-9_][A-Za-z0-9_.-]*)@(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*):(?P<path>[^/:-][^:]*|/[^:]*)\Z"
)
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\Z|[0-9A-Fa-f:.]+\Z")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")
_REF_BANNED = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|\Z)")


@dataclass(frozen=True, slots=True)
class Address:
    """A checked address. ``origin`` is scheme, host and port: the only place a credential may go to."""

    url: str
    scheme: str
    origin: str


def check_url(url: str, *, allow_http: bool = False) -> Address:
    """https, ssh (also ``git@host:path``) and file; http only when the configuration allows it by name."""
    if (
        not url
        or len(url) > _URL_MAX
        or url.startswith("-")
        or re.search(r"[\x00-\x20\x7f-\xa0]|%0[0ad]", url, re.IGNORECASE)
    ):
        raise _refused("is empty, too long, starts with `-`, or holds a space or control character")
    scp = _SCP.match(url)
    if scp is not None:
        return Address(url, "ssh", f"ssh://{scp['host'].lower()}")
    if "::" in url.partition("/")[0]:
        raise _refused("names a remote helper, which could run any command")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refused("cannot be parsed") from None
    if "://" not in url:
        raise _refused("is no URL", fix="for a folder of this machine set `source.path` instead")
    return _checked(url, parts, port, allow_http)


def _checked(url: str, parts: SplitResult, port: int | None, allow_http: bool) -> Address:
    host = (parts.hostname or "").lower()
    if parts.query or parts.fragment:
        raise _refused("has a query or a fragment")
    if parts.password is not None or (parts.username is not None and parts.scheme != "ssh"):
        raise _refused(
            "holds a user name or password", fix="put the token in a file and name it in `source.credentials`"
        )
    if parts.scheme == "file":
        if host not in ("", "localhost") or not parts.path.startswith("/"):
            raise _refused("is a file: address without an absolute path", fix="write file:///absolute/path")
        return Address(url, "file", "file://")
    if parts.scheme == "http" and not allow_http:
        raise _refused("is not encrypted", fix="use https, or set `source.allow_http: true`")
    if parts.scheme not in ("https", "http", "ssh"):
        raise _refused(f"has the scheme `{parts.scheme[:20]}`", fix="use https:// or ssh://")
    if parts.username is not None and not _USER.match(parts.username):
        raise _refused("has a strange user name")
    if not _HOST.match(host):
        raise _refused("has no host, or a strange one")
    shown = f"[{host}]" if ":" in host else host
    return Address(url, parts.scheme, f"{parts.scheme}://{shown}" + (f":{port}" if port else ""))


def check_ref(name: str, word: str) -> str:
    """A branch's or tag's name as git allows it (``git help check-ref-format``); a leading refs/heads/ is dropped."""
    short = name.removeprefix("refs/heads/" if word == "branch" else "refs/tags/")
    if (
        not 0 < len(short.encode(errors="replace")) <= 255
        or short.startswith(("-", ".", "/"))
        or short.endswith(("/", "."))
        or short == "@"
        or _REF_BANNED.search(short)
    ):
        raise ConfigError(f"`source.{word}` is not a name that git allows", code="source-ref", got=repr(name[:80]))
    return short


def check_commit(id_: str) -> str:
    """A whole commit id: a short one can come to mean another commit."""
    if not is_object_id(id_.lower()):
        why = "a short id can come to mean another commit"
        fix = "write all 40 (or 64) hexadecimal digits"
        raise ConfigError(
            "`source.commit` is not a whole commit id", code="source-ref", got=repr(id_[:80]), why=why, fix=fix
        )
    return id_.lower()


def _refused(reason: str, fix: str | None = None) -> ConfigError:
    return ConfigError(f"`source.url` {reason}", code="source-url", fix=fix)
