"""The address that the agent's own HTTP listens on: how it is written, and what it takes to reach beyond this machine.

Used by ``config.load`` for the file, by ``cli`` for ``--listen``. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from agent.config.checks import is_loopback
from agent.config.faults import Fault, as_text

UNGUARDED_FIX = "set targets.NAME.hook: {secret: {env: NAME}}, or listen on 127.0.0.1"
_LISTEN = re.compile(r"(?:([A-Za-z0-9][A-Za-z0-9.-]*)|\[([0-9A-Fa-f:.]+)\]):([0-9]{1,5})")


def address_of(listen: str) -> tuple[str, int] | None:
    """``127.0.0.1:8642`` or ``[::1]:8642`` as host and port; None for anything else."""
    found = _LISTEN.fullmatch(listen)
    if found is None or int(found[3]) > 65535:
        return None
    return (found[1] or found[2]).lower(), int(found[3])


def is_guarded(host: str, hooks: int) -> bool:
    """Whether an address may be listened on: beyond this machine only for targets whose webhooks have a secret."""
    return is_loopback(host) or hooks > 0


def listen_faults(document: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with ``server.listen``. Parts of an unexpected type are left to the schema."""
    server, targets = document.get("server"), document.get("targets")
    listen = server.get("listen") if isinstance(server, dict) else None
    if not isinstance(listen, str):
        return
    pointer, address = "/server/listen", address_of(listen)
    if address is None:
        what = "`listen` is not an address and a port"
        yield Fault(pointer, "config-invalid", what, as_text(listen), "write 127.0.0.1:8642, or 0.0.0.0:8642 for all")
        return
    found = targets.values() if isinstance(targets, dict) else ()
    hooks = sum(1 for target in found if isinstance(target, dict) and target.get("hook") is not None)
    if not is_guarded(address[0], hooks):
        what = "`listen` reaches beyond this machine, and no target has a `hook.secret`"
        yield Fault(pointer, "config-invalid", what, as_text(listen), UNGUARDED_FIX)
