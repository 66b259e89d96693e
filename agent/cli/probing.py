"""Asks the running agent how it is, as the health check of a container does: by its own probes, over HTTP.

Called by ``cli/verbs/status``. Light, because it runs every few seconds: the configuration is scanned for one key.
"""

from __future__ import annotations

from agent.config.listen import OFF, address_of
from agent.config.model import PROBES, Address
from agent.errors import AgentError, ConfigError

_SECONDS = 5.0
_ANSWER_MAX = 64 * 1024
_OF_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where it listens, and by what it is reached from here


def probes_at(written: str | None) -> Address:
    """Where a configuration with this ``server.probes`` is asked. ConfigError where nothing can be asked."""
    address = PROBES if written is None else None if written == OFF else address_of(written)
    if address is None or address.port == 0:
        what = "is off" if written == OFF else "has no fixed port" if address else "is not an address and a port"
        raise ConfigError(f"server.probes {what}, so there is nothing to ask", fix="server: {probes: 127.0.0.1:8643}")
    return address


def ask(address: Address, name: str) -> tuple[bool, str]:
    """Whether the probe holds, and its reasons. AgentError when nobody answers."""
    import http.client

    host = _OF_ANY.get(address.host, address.host)
    connection = http.client.HTTPConnection(host, address.port, timeout=_SECONDS)
    try:
        connection.request("GET", f"/{name}?verbose")
        answer = connection.getresponse()
        text = answer.read(_ANSWER_MAX).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise AgentError(
            f"no agent answers at {host}:{address.port}: {reason}",
            code="probe-unanswered",
            fix="start `datakeel run`; both read server.probes of the file, or DATAKEEL_SERVER__PROBES",
        ) from error
    finally:
        connection.close()
    return answer.status == 200, text
