"""Following a reference to a secret: a variable, a file, a command, an encrypted file; bounded, never shown.

:func:`read` follows one now; :class:`Reader` again and again, as the credentials of a connection are.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from agent.errors import ConfigError
from agent.secrets import commands
from agent.secrets.secret import Secret

SIZE_MAX = commands.OUTPUT_MAX
COMMAND_KEPT_SECONDS = 300.0
FAILURE_KEPT_SECONDS = 10.0

Warn = Callable[[str], None]
_Stamp = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a secret is kept. ``value`` is a variable's name, an absolute path, or the words of a command.

    ``key`` (of ``sops``) leads to one value in the file, ``identity`` (of ``sops`` and ``age``) is a file of keys.
    ``withheld`` are variables that a command must not inherit, since they hold other secrets. A command runs in
    ``folder``, "" for the folder that we run in.
    """

    kind: Literal["env", "file", "exec", "sops", "age"]
    value: str | tuple[str, ...]
    key: tuple[str | int, ...] = ()
    identity: str = ""
    withheld: frozenset[str] = field(default=frozenset(), repr=False, compare=False)
    folder: str = field(default="", repr=False, compare=False)

    def __str__(self) -> str:
        shown = f"{self.kind} {self.value if isinstance(self.value, str) else self.value[0]}"
        return f"{shown}, key {'.'.join(map(str, self.key))}" if self.key else shown

    @property
    def is_command(self) -> bool:
        """Whether following it starts a program, which may take seconds."""
        return self.kind in ("exec", "sops", "age")


def read(
    reference: Reference,
    *,
    several_lines: bool = False,
    warn: Warn = lambda text: None,
    seconds: float = commands.DEADLINE_SECONDS,
) -> Secret:
    """Follow the reference now. One trailing newline is taken off; control characters are refused.

    ``several_lines`` allows line breaks and tabs inside: keys and certificates that manifests name, not tokens that go
    into a header. ``warn`` is told of a file that everyone may read; a command has ``seconds``. Raises ConfigError.
    """
    if reference.kind == "env":
        raw = _from_environment(str(reference.value)).encode("utf-8", "surrogateescape")
    elif reference.kind == "file":
        raw = _from_file(str(reference.value), warn)
    elif reference.kind == "exec":
        words = (reference.value,) if isinstance(reference.value, str) else reference.value
        environment = commands.environment_of_any(reference.withheld)
        named = f"the credential command {words[0]}"
        raw = commands.output_of(words, environment, named=named, folder=reference.folder, seconds=seconds)
    else:
        raw = _decrypted(reference, warn, seconds)
    return Secret(_checked(raw, reference, several_lines))


class Reader:
    """One reference as live connections use it. Variables and files are read again at each use.

    A command's answer is kept for five minutes, a decrypted value until its file or the file of keys is another (by
    inode, size and time, through links), and either until :meth:`forget`, which a 401 calls for. A failure is kept for
    ten seconds: a command that hangs must not be waited for by each call in turn. May be called from any thread.

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
        seconds: float = commands.DEADLINE_SECONDS,
    ) -> None:
        self.reference = reference
        self._learn = learn
        self._several_lines = several_lines
        self._warn = _once(warn)
        self._monotonic = monotonic
        self._seconds = seconds
        self._kept: tuple[float, _Stamp, Secret] | None = None
        self._failed: tuple[float, _Stamp, ConfigError] | None = None
        self._lock = threading.Lock()

    def __call__(self) -> Secret:
        """Raises ConfigError."""
        if not self.reference.is_command:
            return self._learnt()
        with self._lock:
            now, stamp = self._monotonic(), _stamp(self.reference)
            if self._kept is not None and self._kept[1] == stamp and now - self._kept[0] < self._lasts:
                return self._kept[2]
            if self._failed is not None and self._failed[1] == stamp and now - self._failed[0] < FAILURE_KEPT_SECONDS:
                raise self._failed[2].with_traceback(None)
            try:
                secret = self._learnt()
            except ConfigError as error:
                self._failed = (self._monotonic(), stamp, error)
                raise
            self._kept, self._failed = (now, stamp, secret), None
            return secret

    @property
    def waits(self) -> bool:
        """Whether the next use starts a program: call it where waiting stops nobody."""
        if not self.reference.is_command:
            return False
        kept = self._kept
        now, stamp = self._monotonic(), _stamp(self.reference)
        return kept is None or kept[1] != stamp or now - kept[0] >= self._lasts

    def forget(self) -> None:
        """The platform refused this secret: the next use asks again."""
        self._kept = None
        self._failed = None

    @property
    def _lasts(self) -> float:
        return COMMAND_KEPT_SECONDS if self.reference.kind == "exec" else float("inf")

    def _learnt(self) -> Secret:
        secret = read(self.reference, several_lines=self._several_lines, warn=self._warn, seconds=self._seconds)
        self._learn(secret)
        return secret


def _once(warn: Warn) -> Warn:
    """The same warning not at every use: a credential is read every few seconds."""
    warned: set[str] = set()

    def warn_once(text: str) -> None:
        if text not in warned:
            warned.add(text)
            warn(text)

    return warn_once


def _stamp(reference: Reference) -> _Stamp:
    """What tells an encrypted file and its keys from the ones that replace them; empty for a command of any kind."""
    if reference.kind == "exec":
        return ()
    stamps: list[tuple[int, ...]] = []
    for path in filter(None, (str(reference.value), reference.identity)):
        try:
            status = os.stat(path)  # noqa: PTH116 - follows links, as the tool does
        except OSError:
            stamps.append((0,))
        else:
            stamps.append((status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns))
    return tuple(stamps)


def _decrypted(reference: Reference, warn: Warn, seconds: float) -> bytes:
    from agent.secrets.encrypted import age_output, sops_output

    file = str(reference.value)
    if reference.identity:
        _from_file(reference.identity, warn)  # told apart here: the tools have one status for every fault
    try:
        status = os.stat(file)  # noqa: PTH116 - opening it could wait for a pipe
        fault = None if stat.S_ISREG(status.st_mode) else "is not a regular file"
    except OSError as error:
        fault = f"cannot be opened: {error.strerror}"
    if fault is not None:
        raise ConfigError(f"the encrypted file {file} {fault}", code="credential-missing")
    if reference.kind == "age":
        return age_output(file, reference.identity, reference.withheld, seconds)
    return sops_output(file, reference.key, reference.identity, reference.withheld, seconds)


def _from_environment(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        state = "is not set" if value is None else "is empty"
        raise ConfigError(
            f"the environment variable {name} {state}",
            code="credential-missing",
            fix=f"export {name}=… in the environment of datakeel; `datakeel doctor` tells whether it works",
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
