"""The git repository that a new configuration stands in: found, made where there is none, and where it came from.

Used by ``begin``. Runs git for three things that only the user's own git can tell or do; never commits.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from agent.source.location import find_repository

EXAMPLE_URL = "https://git.example.com/team/platform.git"
_SCP = re.compile(r"(?:[\w.-]+@)?([\w.-]+):(?!//)(.+)")


@dataclass(frozen=True, slots=True)
class Repository:
    """``top`` holds what a forge reads, ``prefix`` leads from there to the folder of the configuration ("" at the top).

    ``url`` is where others fetch it from, by HTTPS and without a user's name; None where it has no such remote.
    """

    top: Path
    prefix: str
    made: bool
    url: str | None
    branch: str

    @property
    def forge(self) -> str:
        """``github`` or ``gitlab`` where the remote's name says so; else empty."""
        host = urlsplit(self.url or "").hostname or ""
        return next((name for name in ("github", "gitlab") if name in host), "")


def repository_of(folder: Path) -> Repository | None:
    """The repository around a folder; None where there is none."""
    found = find_repository(folder)
    if found is None or found.top is None:
        return None
    branch = _git(found.top, "symbolic-ref", "--short", "HEAD") or "main"
    return Repository(found.top, found.prefix, False, https_of(_git(found.top, "config", "remote.origin.url")), branch)


def make_repository(folder: Path) -> Repository:
    """The repository around a folder, or a new one in it where git is there to make one."""
    found = repository_of(folder)
    if found is not None:
        return found
    made = _git(folder, "init", "-q", "-b", "main") is not None
    return Repository(folder, "", made, None, "main")


def https_of(url: str | None) -> str | None:
    """``git@host:team/it.git`` and its like as ``https://host/team/it.git``; None for what is no address of a host."""
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme in ("https", "http", "ssh", "git") and parts.hostname:
        port = f":{parts.port}" if parts.port and parts.scheme in ("https", "http") else ""
        return f"https://{parts.hostname}{port}{parts.path}"
    scp = _SCP.fullmatch(url)
    return f"https://{scp[1]}/{scp[2].lstrip('/')}" if scp and not parts.scheme.startswith("file") else None


def _git(folder: Path, *words: str) -> str | None:
    """What git says; None where it fails or is not installed. Secrets of our environment are no business of its."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "XDG_CONFIG_HOME") if name in os.environ}
    words = ("git", *words)
    try:
        done = subprocess.run(words, cwd=folder, env=kept, capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
