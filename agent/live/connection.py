"""Where a target's calls go and with what: the connection as configured, and its pinned origin.

Made by the wiring from configuration only; nothing in a manifest, a definition of a watched repository or an answer
can change it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from agent.errors import ConfigError
from agent.secrets import Secret

_HOST = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_PATH = re.compile(r"(?:/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})+)*")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Connection:
    """A target's own side of its calls. ``credentials`` are read anew when needed, never kept in a field."""

    target: str
    server: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    credentials: Mapping[str, Callable[[], Secret]] = field(default_factory=dict)
    deadline_seconds: float = 30.0
    ca_file: Path | None = None
    proxy: str | None = None
    trust_env: bool = False
    allow_http: bool = False
    concurrency: int = 8
    command: str = ""  # what asks, for the platform's own log


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port that every request must have; ``prefix`` is put before every path."""

    scheme: str
    host: str
    port: int
    prefix: str

    @property
    def text(self) -> str:
        """``https://api.example.com``, without a default port."""
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def parse_server(server: str, *, allow_http: bool) -> Origin:
    """The pinned origin. Raises ConfigError for anything but a plain base address."""
    if not server:
        raise ConfigError(
            "the target names no server and its definition brings none", fix="add `server:` to the target"
        )
    shown = server if "@" not in server else "an address with user information"
    if not server.isprintable() or " " in server:  # some readers of addresses drop such characters, others do not
        raise _bad("an address with a blank or a control character", "holds a blank or a control character")
    try:
        parts = urlsplit(server)
        port = parts.port
        host = parts.hostname or ""
    except ValueError:
        raise _bad(shown, "is not an address such as https://api.example.com") from None
    if parts.scheme not in _PORTS:
        raise _bad(shown, "must start with https://")
    if "@" in parts.netloc:
        raise _bad(shown, "holds user information; a credential is a reference under `credentials`")
    if parts.scheme == "http" and not allow_http:
        raise _bad(shown, "is not encrypted; `allow_http: true` permits it")
    if parts.query or parts.fragment or "?" in server or "#" in server:
        raise _bad(shown, "has a query or a fragment; only a path may follow the host")
    if not _is_host(host):
        raise _bad(shown, "has no host that can be called; write internationalised names as xn--…")
    if port == 0:
        raise _bad(shown, "has no usable port")
    prefix = parts.path.rstrip("/")
    if not _PATH.fullmatch(prefix) or any(unquote(step) in (".", "..") for step in prefix.split("/")):
        raise _bad(shown, "has a path that is not plain")
    return Origin(parts.scheme, host.lower(), port or _PORTS[parts.scheme], prefix)


def _is_host(host: str) -> bool:
    if ":" in host:
        try:
            return "%" not in host and ipaddress.IPv6Address(host) is not None
        except ValueError:
            return False
    if _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):  # so it is an address, and clients read no other form
        try:
            return ipaddress.IPv4Address(host) is not None
        except ValueError:
            return False
    return host.isascii() and _HOST.fullmatch(host) is not None


def _bad(server: str, why: str) -> ConfigError:
    return ConfigError(f"the server {why}", got=server)
