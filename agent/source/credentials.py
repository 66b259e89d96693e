"""Hands a credential to git without it ever being on a command line, in an environment, in a URL or on a disk.

Called by ``mirror`` around each command that reaches the network. The secret lies in an anonymous file in memory, which
git's child inherits; a credential helper, pinned to the configured origin, prints it. An ssh key is such a file too.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from agent.errors import ConfigError
from agent.source.address import Address
from agent.source.git import Access

KNOWN = ("token", "username", "password", "ssh_key")
# Forges take any name beside a token; this is the one that most of them document.
_TOKEN_USER = "x-access-token"  # noqa: S105 - a user name


@dataclass(frozen=True, slots=True)
class Remote:
    """How to reach one address. ``credentials`` read their secret anew at each use, so that it may rotate."""

    address: Address
    credentials: Mapping[str, Callable[[], str]] = field(default_factory=dict, repr=False)
    known_hosts: Path | None = None
    ca_file: Path | None = None
    proxy: str | None = None

    def __post_init__(self) -> None:
        for name in self.credentials:
            if name not in KNOWN:
                fix = "use token, or username and password, or ssh_key"
                raise ConfigError(f"`source.credentials.{name[:40]}` is not known", code="source-url", fix=fix)

    @contextmanager
    def access(self) -> Iterator[Access]:
        """What one command may reach, with the secrets open for as long as it runs."""
        with ExitStack() as opened:
            if self.address.scheme == "ssh":
                yield self._ssh(opened)
            elif self.address.scheme == "file":
                yield self._file(opened)
            else:
                yield self._http(opened)

    def _http(self, opened: ExitStack) -> Access:
        settings = [f"http.proxy={self.proxy or ''}"]
        if self.ca_file is not None:
            settings.append(f"http.sslCAInfo={self.ca_file}")
        secrets = {name: read() for name, read in self.credentials.items() if name != "ssh_key"}
        word = secrets.get("token") or secrets.get("password")
        if not word:
            return Access(self.address.scheme, tuple(settings))
        user = secrets.get("username") or _TOKEN_USER
        if any(character in user + word for character in "\n\r\0"):
            raise ConfigError("the git credential holds a line break", code="source-url", fix="store it without one")
        descriptor = _hold(opened, f"username={user}\npassword={word}\n")
        # git appends its verb ("get"), which `:` swallows.
        helper = f"!cat /proc/self/fd/{descriptor}; :"
        settings.append(f"credential.{self.address.origin}.helper={helper}")
        return Access(self.address.scheme, tuple(settings), inherited=(descriptor,), secrets=(word,))

    def _ssh(self, opened: ExitStack) -> Access:
        words = ["ssh", "-F", "/dev/null", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"]
        words += ["-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"]
        if self.known_hosts is not None:
            words += ["-o", f"UserKnownHostsFile={self.known_hosts}", "-o", "GlobalKnownHostsFile=/dev/null"]
        secrets: tuple[str, ...] = ()
        if "ssh_key" in self.credentials:
            key = self.credentials["ssh_key"]().strip() + "\n"
            # ssh closes what it inherits, so it must find the file through us, who keep it open.
            words += ["-i", f"/proc/{os.getpid()}/fd/{_hold(opened, key)}"]
            secrets = (key,)
        return Access(
            "ssh", variables={"GIT_SSH_COMMAND": shlex.join(words), "GIT_SSH_VARIANT": "ssh"}, secrets=secrets
        )

    def _file(self, opened: ExitStack) -> Access:
        # The serving side is a git of its own, to which `-c` does not reach: it may read what the operator named.
        descriptor = _hold(opened, "[safe]\n\tdirectory = *\n")
        return Access("file", variables={"GIT_CONFIG_GLOBAL": f"/proc/self/fd/{descriptor}"}, inherited=(descriptor,))


def _hold(opened: ExitStack, text: str) -> int:
    descriptor = os.memfd_create("datakeel", os.MFD_CLOEXEC)
    opened.callback(os.close, descriptor)
    os.fchmod(descriptor, 0o600)  # ssh refuses a key that others could read
    os.write(descriptor, text.encode())
    return descriptor
