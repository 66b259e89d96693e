"""The state store of a configuration, as it is reached: its URL with the password that a reference leads to.

Used by every verb that opens the store. A password is read when the store is opened and no earlier: `validate` in a
check must not need it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit, urlunsplit

from agent.errors import ConfigError
from agent.secrets import Reader, Reference, Secret

if TYPE_CHECKING:
    from agent.config.model import Config


def state_of(config: Config) -> str:
    """The URL to open, for ``Store.open`` alone: it may hold a password. Raises ConfigError for a missing one."""
    return with_password(config.state, config.state_password)


def found_state(url: str, password: tuple[Any, Path]) -> str:
    """The same for the verbs that read nothing else of the configuration."""
    written, folder = password
    if written is None:
        return url
    from agent.config.references import reference_of

    return with_password(url, reference_of(written, folder, frozenset()))


def with_password(url: str, password: Reference | None) -> str:
    if password is None:
        return url
    from agent.cli.output import learn_secret, tell

    parts = urlsplit(url)
    if parts.scheme.partition("+")[0] != "postgresql" or not parts.username:
        raise ConfigError(
            "`state` has a password, and its URL names no user of a PostgreSQL server",
            code="credential-invalid",
            fix="state: {url: postgresql://user@host/database, password: …}",
        )
    secret = Reader(password, warn=tell, learn=learn_secret)()
    learn_secret(Secret(quote(secret.reveal(), safe="")))
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username}:{quote(secret.reveal(), safe='')}@{host}"))
