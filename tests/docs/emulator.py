"""The emulator of a page: a port for it, and what a person or a test does to it through its `/_sandbox/`."""

from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import Mapping
from typing import Any


def free_port() -> int:
    """One that nobody listens at now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found: int = free.getsockname()[1]
        return found


def switch(server: str, switches: Mapping[str, Any]) -> None:
    """``{"ready_after": 0}``: what is made is ready at once."""
    _tell(server, "PUT", "switches", switches)


def by_hand(server: str, does: Mapping[str, Any]) -> None:
    """What somebody does on the platform's own pages."""
    _tell(server, "POST", "person", does)


def _tell(server: str, method: str, what: str, body: Mapping[str, Any]) -> None:
    request = urllib.request.Request(f"{server}/_sandbox/{what}", json.dumps(body).encode(), method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        answer.read()
