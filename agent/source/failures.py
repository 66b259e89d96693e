"""The one door through which git's failures become :class:`SourceError`: classified, scrubbed, without argv.

Called by ``git`` and ``mirror``. git's stderr is partly the server's words, so it is cut, stripped of control
characters and of every known secret before anyone sees it.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence

from agent.errors import SourceError

_SAID_MAX = 300
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
_VERDICT = re.compile(r"fatal:|error:|ssh:|Host key |[^ ]+: Permission denied ")
_USER_INFO = re.compile(r"(\w+://)[^/@\s]*@")
_LIMIT_SIGNALS = {signal.SIGXCPU, signal.SIGXFSZ, signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT}

# code, what git says, fix. The first that matches wins.
_KNOWN: tuple[tuple[str, str, str | None], ...] = (
    (
        "tree-unsafe",
        r"hasDot|fullPathname|gitmodules\w*:|emptyName|nullSha1|treeNotSorted|duplicateEntries|largePathname"
        r"|fsck error|invalid path|contains '\.",
        "remove the unsafe entry from the repository's history; the last revision stays in force",
    ),
    (
        "source-unauthorized",
        r"Authentication failed|could not read (?:Username|Password)|Permission denied|Host key verification failed"
        r"|returned error: 40[13]|HTTP Basic: Access denied|terminal prompts disabled",
        "check `source.credentials` (and `known_hosts` for ssh)",
    ),
    (
        "source-redirected",
        r"returned error: 30\d|redirect",
        "write the address that the host redirects to into `source.url`",
    ),
    (
        "source-unreachable",
        r"Could not resolve|Failed to connect|Couldn't connect|Connection (?:refused|reset|timed out)|RPC failed"
        r"|Name or service not known|Network is unreachable|Operation too slow|SSL|certificate|early EOF|hung up"
        r"|returned error: 5\d\d",
        None,
    ),
    (
        "git-limit",
        r"out of memory|mmap failed|Cannot allocate|File size limit|Too many open files|No space left|Disk quota",
        "the repository is larger than the limits of one git command; give the agent a smaller one",
    ),
    (
        "git-format",
        r"unknown repository extension|unsupported object format|unknown repository format|mismatched algorithms"
        r"|Expected git repo version|object format",
        "use a git that knows this repository's format",
    ),
    (
        "git-corrupt",
        r"corrupt|missing (?:blob|tree|commit|object)|bad object|loose object|unable to read (?:tree|sha1|object)"
        r"|broken|invalid object|not a valid object|could not parse|bad tree|inflate|bad signature|packfile"
        r"|not a tree object|Could not read [0-9a-f]{8}",
        None,
    ),
    (
        "source-missing",
        r"not found|does not (?:exist|appear to be a git repository)|not a git repository|No such file|error: 404",
        "check the address, and that the credential may read it",
    ),
)


def failure(what: str, status: int, stderr: bytes, secrets: Sequence[str] = ()) -> SourceError:
    """The error for a git command that ended with ``status``; ``what`` says in our words what was tried."""
    if status < 0 and -status in _LIMIT_SIGNALS:
        return over_limit(what, f"git was stopped by {signal.Signals(-status).name}")
    said = last_words(stderr, secrets)
    for code, pattern, fix in _KNOWN:
        if re.search(pattern, said, re.IGNORECASE if code != "tree-unsafe" else 0):
            return SourceError(what, code=code, why=said, fix=fix)
    return SourceError(what, why=said or f"git ended with status {status}")


def over_limit(what: str, why: str) -> SourceError:
    fix = "the repository is too large or too slow for the limits of one git command; the last revision stays in force"
    return SourceError(what, code="git-limit", why=why, fix=fix)


def last_words(stderr: bytes, secrets: Sequence[str] = ()) -> str:
    """git's or ssh's own sentences: ``fatal:``, ``error:`` and the like (else the last line), scrubbed and cut."""
    lines = [line for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    chosen = [line for line in lines if _VERDICT.match(line)] or lines[-1:]
    text = _CONTROL.sub(" ", "; ".join(chosen)).strip()
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    text = _USER_INFO.sub(r"\1", text)
    return text if len(text) <= _SAID_MAX else text[: _SAID_MAX - 1] + "…"
