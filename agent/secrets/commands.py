"""A command that prints a secret: bounded in time and size, in an environment without other secrets, never quoted.

Used by :mod:`agent.secrets.references` for ``exec``, ``sops`` and ``age``. Standard error may hold anything and is
dropped; what is told of a failure is the program's name, its exit status and what that status means.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence

from agent.errors import ConfigError

OUTPUT_MAX = 64 * 1024
DEADLINE_SECONDS = 15.0

_OURS = re.compile(r"DATAKEEL_.*")  # the configuration laid over: the address of the state may hold a password
# What finds programs, home folders, words and certificates; a tool gets this and its own variables.
_ORDINARY = (
    r"PATH|HOME|USER|LOGNAME|LANG|LC_.*|TZ|TMPDIR|XDG_.*|SSL_CERT_(?:FILE|DIR)|(?i:https?_proxy|no_proxy|all_proxy)"
)


def environment_of_any(withheld: frozenset[str]) -> dict[str, str]:
    """What a command of the operator's own gets: ours, without the variables that hold secrets of the configuration."""
    return {name: value for name, value in os.environ.items() if name not in withheld and not _OURS.fullmatch(name)}


def environment_of_tool(own: str, withheld: frozenset[str], more: Mapping[str, str]) -> dict[str, str]:
    """What a tool that we know gets: the ordinary variables, those that match ``own``, and ``more``."""
    wanted = re.compile(f"{_ORDINARY}|{own}" if own else _ORDINARY)
    return {name: value for name, value in environment_of_any(withheld).items() if wanted.fullmatch(name)} | dict(more)


def output_of(
    words: Sequence[str],
    environment: Mapping[str, str],
    *,
    named: str,
    meanings: Mapping[int, str] | None = None,
    by_hand: str | None = None,
    folder: str = "",
    seconds: float = DEADLINE_SECONDS,
) -> bytes:
    """Standard output of a command. Raises ConfigError; ``named`` is how the command is spoken of.

    ``meanings`` are what exit statuses tell, as far as the tool documents them; ``by_hand`` is how to see more.
    """
    import subprocess

    try:
        process = subprocess.Popen(
            list(words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # no terminal to ask on, and one group to end
            env=dict(environment),
            cwd=folder or None,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its words hold a zero byte"
        raise ConfigError(
            f"{named} cannot be started: {reason}",
            code="credential-missing",
            fix=f"install {words[0]}, or put it on the PATH of datakeel" if "/" not in words[0] else None,
        ) from error
    until = time.monotonic() + seconds
    with process:
        assert process.stdout is not None
        try:
            raw, fault = _bounded(process.stdout.fileno(), until, seconds)
            if fault is None:
                try:
                    status = process.wait(timeout=max(0.1, until - time.monotonic()))
                except subprocess.TimeoutExpired:
                    fault = "closed its output but did not end"
                else:
                    fault = _told(status, meanings or {}) if status else None
        finally:
            _end(process.pid, process.poll() is None)
    if fault is not None:
        raise ConfigError(
            f"{named} {fault}",
            code="credential-missing",
            fix=f"run `{by_hand or words[0]}` by hand to see its own message; datakeel does not show it, "
            "as it may hold secrets",
        )
    return raw


def _told(status: int, meanings: Mapping[int, str]) -> str:
    meaning = meanings.get(status)
    return f"ended with status {status}" + (f": {meaning}" if meaning else "")


def _end(group: int, alive: bool) -> None:
    """The command leads its own process group, so that what it started ends with it."""
    import signal

    if alive:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            return


def _bounded(descriptor: int, until: float, seconds: float) -> tuple[bytes, str | None]:
    """Bytes up to the end of the stream, or what went wrong."""
    import selectors

    pieces: list[bytes] = []
    size = 0
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while True:
            left = until - time.monotonic()
            if left <= 0 or not selector.select(left):
                return b"", f"did not answer within {seconds:g} s"
            piece = os.read(descriptor, 65536)
            if not piece:
                return b"".join(pieces), None
            pieces.append(piece)
            size += len(piece)
            if size > OUTPUT_MAX:
                return b"", f"printed more than {OUTPUT_MAX} bytes"
