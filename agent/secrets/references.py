"""Following a reference to a secret: a variable, a file, a command; bounded in size and time, never shown.

:func:`read` follows one now; :class:`Reader` again and again, as the credentials of a connection are. What a command
writes to its standard error may hold anything and is dropped.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from agent.errors import ConfigError
from agent.secrets.secret import Secret

SIZE_MAX = 64 * 1024
COMMAND_SECONDS = 15.0
COMMAND_KEPT_SECONDS = 300.0

Warn = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a secret is kept. ``value`` is a variable's name, an absolute path, or the words of a command."""

    kind: Literal["env", "file", "exec"]
    value: str | tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind} {self.value if isinstance(self.value, str) else self.value[0]}"


def read(reference: Reference, *, several_lines: bool = False, warn: Warn = lambda text: None) -> Secret:
    """Follow the reference now. One trailing newline is taken off; control characters are refused.

    ``several_lines`` allows line breaks and tabs inside: keys and certificates that manifests name, not tokens that go
    into a header. ``warn`` is told of a file that everyone may read.
    """
    if reference.kind == "env":
        raw = _from_environment(str(reference.value)).encode("utf-8", "surrogateescape")
    elif reference.kind == "file":
        raw = _from_file(str(reference.value), warn)
    else:
        words = (reference.value,) if isinstance(reference.value, str) else reference.value
        raw = _from_command(words)
    return Secret(_checked(raw, reference, several_lines))


class Reader:
    """One reference as live connections use it: variables and files are read again at each use, a command's answer is
    kept for five minutes or until :meth:`forget`, which a 401 calls for.

    ``learn`` is told each secret before anybody else, so that the scrubber of our outputs knows it in time.
    """

    def __init__(
        self,
        reference: Reference,
        *,
        several_lines: bool = False,
        warn: Warn = lambda text: None,
        learn: Callable[[Secret], None] = lambda secret: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.reference = reference
        self._learn = learn
        self._several_lines = several_lines
        self._warn = warn
        self._monotonic = monotonic
        self._kept: tuple[float, Secret] | None = None

    def __call__(self) -> Secret:
        now = self._monotonic()
        if self._kept is not None and now - self._kept[0] < COMMAND_KEPT_SECONDS:
            return self._kept[1]
        secret = read(self.reference, several_lines=self._several_lines, warn=self._warn)
        self._learn(secret)
        if self.reference.kind == "exec":
            self._kept = (now, secret)
        return secret

    def forget(self) -> None:
        """The platform refused this secret: the next use asks again."""
        self._kept = None


def _from_environment(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        state = "is not set" if value is None else "is empty"
        raise ConfigError(
            f"the environment variable {name} {state}",
            code="credential-missing",
            fix=f"export {name}=… in the environment of datakeel",
        )
    return value


def _from_file(path: str, warn: Warn) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ConfigError(
            f"the secret file {path} cannot be opened: {error.strerror}", code="credential-missing"
        ) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError(f"the secret file {path} is not a regular file", code="credential-invalid")
        if status.st_size > SIZE_MAX:
            raise ConfigError(f"the secret file {path} is larger than {SIZE_MAX} bytes", code="credential-invalid")
        if status.st_mode & stat.S_IROTH:
            warn(f"the secret file {path} may be read by everyone; chmod 600 it")
        with os.fdopen(os.dup(descriptor), "rb") as file:
            raw = file.read(SIZE_MAX + 1)
    except OSError as error:
        raise ConfigError(
            f"the secret file {path} cannot be read: {error.strerror}", code="credential-missing"
        ) from error
    finally:
        os.close(descriptor)
    return raw


def _from_command(words: tuple[str, ...]) -> bytes:
    """Standard output of a command, bounded in time and size. Its standard error may hold anything and is dropped."""
    import subprocess

    name = words[0]
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its words hold a zero byte"
        raise ConfigError(
            f"the credential command {name} cannot be started: {reason}", code="credential-missing"
        ) from (error)
    with process:
        assert process.stdout is not None
        try:
            raw, fault = _bounded(process.stdout.fileno(), time.monotonic() + COMMAND_SECONDS)
            if fault is None:
                try:
                    status = process.wait(timeout=COMMAND_SECONDS)
                except subprocess.TimeoutExpired:
                    fault = "closed its output but did not end"
                else:
                    fault = f"ended with status {status}" if status else None
        finally:
            _end(process.pid, process.poll() is None)
    if fault is not None:
        raise ConfigError(
            f"the credential command {name} {fault}",
            code="credential-missing",
            fix=f"run `{name}` by hand to see its own message; datakeel does not show it, as it may hold secrets",
        )
    return raw


def _end(group: int, alive: bool) -> None:
    """The command leads its own process group, so that what it started ends with it."""
    import signal

    if alive:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            return


def _bounded(descriptor: int, until: float) -> tuple[bytes, str | None]:
    """Bytes up to the end of the stream, or what went wrong."""
    import selectors

    pieces: list[bytes] = []
    size = 0
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while True:
            left = until - time.monotonic()
            if left <= 0 or not selector.select(left):
                return b"", f"did not answer within {COMMAND_SECONDS:g} s"
            piece = os.read(descriptor, 65536)
            if not piece:
                return b"".join(pieces), None
            pieces.append(piece)
            size += len(piece)
            if size > SIZE_MAX:
                return b"", f"printed more than {SIZE_MAX} bytes"


def _checked(raw: bytes, reference: Reference, several_lines: bool) -> str:
    def refuse(fault: str, fix: str | None = None) -> ConfigError:
        return ConfigError(f"the secret from {reference} {fault}", code="credential-invalid", fix=fix)

    if raw.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise refuse("starts with a byte-order mark", "save it as plain UTF-8")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise refuse("is not UTF-8 text", "encode binary secrets, for example as base64") from error
    text = text.removesuffix("\n")
    if several_lines:
        text = text.removesuffix("\r")
    if not text:
        raise refuse("is empty")
    if len(text) > SIZE_MAX:
        raise refuse(f"is larger than {SIZE_MAX} bytes")
    allowed = "\n\r\t" if several_lines else ""
    for character in text:
        if (character < " " or "\x7f" <= character < "\xa0") and character not in allowed:
            if character == "\r":
                raise refuse("ends a line with CR LF", "save it with Unix line ends")
            if character == "\n":
                raise refuse("holds a line break", "keep exactly one line, with one newline at most at its end")
            raise refuse("holds a control character")
    return text
