"""The addresses of the agent's own HTTP: how they are written, what is not asked for, and what it takes to go beyond
this machine.

Used by ``config.load`` for the file, by ``cli`` for ``--listen`` and ``--probes``. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from agent.config.checks import is_loopback
from agent.config.faults import Fault, as_text, join
from agent.config.model import Address, AuthConfig, ServerConfig
from agent.config.references import reference_faults, reference_of

OFF = "off"
UNGUARDED_FIX = (
    "set server.auth: {token: {file: PATH}}, or give webhooks alone an address that others reach: server.hooks"
)
HOOKLESS_FIX = "set source.hook or targets.NAME.hook: {secret: {env: NAME}}, or take server.hooks out"
_LISTEN = re.compile(r"(?:([A-Za-z0-9][A-Za-z0-9.-]*)|\[([0-9A-Fa-f:.]+)\]):([0-9]{1,5})")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


def address_of(listen: str) -> Address | None:
    """``127.0.0.1:8642`` or ``[::1]:8642``; None for anything else."""
    found = _LISTEN.fullmatch(listen)
    if found is None or int(found[3]) > 65535:
        return None
    return Address((found[1] or found[2]).lower(), int(found[3]))


def server_of(server: Mapping[str, Any], folder: Path, withheld: frozenset[str]) -> ServerConfig:
    """The checked block ``server``; what it leaves out is as by default."""
    default = ServerConfig()
    return ServerConfig(
        listen=_placed(server, "listen", default.listen),
        probes=_placed(server, "probes", default.probes),
        hooks=_placed(server, "hooks", default.hooks),
        auth=_auth_of(server["auth"], folder, withheld) if "auth" in server else None,
        hosts=tuple(host.lower() for host in server.get("hosts", ())),
        metrics_open=server.get("metrics") == "open",
    )


def _auth_of(auth: Mapping[str, Any], folder: Path, withheld: frozenset[str]) -> AuthConfig:
    from ipaddress import ip_network

    token = reference_of(auth["token"], folder, withheld) if "token" in auth else None
    if "proxy" not in auth:
        return AuthConfig(token)
    proxies = tuple(ip_network(one, strict=False) for one in auth["proxy"]["addresses"])
    return AuthConfig(token, auth["proxy"]["user_header"].lower(), proxies)


def _placed(server: Mapping[str, Any], word: str, default: Address | None) -> Address | None:
    if word not in server:
        return default
    return None if server[word] == OFF else address_of(server[word])


def listen_faults(document: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with ``server``. Parts of an unexpected type are left to the schema."""
    server = document.get("server")
    if not isinstance(server, dict):
        return
    found: dict[Address, str] = {}
    for word in ("listen", "probes", "hooks"):
        written = server.get(word)
        if not isinstance(written, str) or written == OFF:
            continue
        pointer, address = join("server", word), address_of(written)
        if address is None:
            what = f"`{word}` is not an address and a port"
            fix = f"write 127.0.0.1:8642, or 0.0.0.0:8642 for all, or {OFF}"
            yield Fault(pointer, "config-invalid", what, as_text(written), fix)
            continue
        if address.port and address in found:
            what = f"`{word}` and `{found[address]}` are one address"
            yield Fault(pointer, "config-invalid", what, as_text(written), "give each a port of its own")
        found[address] = word
        if not is_loopback(address.host):
            yield from _reaching(pointer, word, written, document)
    yield from _auth_faults(server.get("auth"))


def _reaching(pointer: str, word: str, written: str, document: Mapping[str, Any]) -> Iterator[Fault]:
    """An address that others reach: who may look, and who may send?"""
    if word == "listen" and not isinstance(document["server"].get("auth"), dict):
        what = "`listen` reaches beyond this machine, and `server.auth` says of nobody that they may look"
        yield Fault(pointer, "config-invalid", what, as_text(written), UNGUARDED_FIX)
    if word == "hooks" and not _has_hook(document):
        what = "`hooks` reaches beyond this machine, and nothing has a `hook.secret`"
        yield Fault(pointer, "config-invalid", what, as_text(written), HOOKLESS_FIX)


def _has_hook(document: Mapping[str, Any]) -> bool:
    targets = document.get("targets")
    holders = [document.get("source"), *(targets.values() if isinstance(targets, dict) else ())]
    return any(isinstance(one, dict) and one.get("hook") is not None for one in holders)


def _auth_faults(auth: Any) -> Iterator[Fault]:
    if not isinstance(auth, dict):
        return
    yield from reference_faults(("server", "auth"), {word: auth[word] for word in ("token",) if word in auth})
    proxy = auth.get("proxy")
    if not isinstance(proxy, dict):
        return
    header = proxy.get("user_header")
    if isinstance(header, str) and not _HEADER.fullmatch(header):
        pointer = join("server", "auth", "proxy", "user_header")
        yield Fault(pointer, "config-invalid", "not the name of a header", as_text(header), "write X-Forwarded-User")
    addresses = proxy.get("addresses")
    for place, written in enumerate(addresses if isinstance(addresses, list) else ()):
        if isinstance(written, str) and not _is_network(written):
            pointer = join("server", "auth", "proxy", "addresses", str(place))
            what = "not an address, nor a network"
            yield Fault(pointer, "config-invalid", what, as_text(written), "write 10.0.0.5, or 10.0.0.0/24")


def _is_network(written: str) -> bool:
    """One that is named: "everybody" would let anyone write the header."""
    from ipaddress import ip_network

    try:
        return ip_network(written, strict=False).prefixlen > 0
    except ValueError:
        return False
