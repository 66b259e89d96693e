"""``{secretRef: name}`` -> the value, at the HTTP call only; and the keyed hash that stands for it everywhere else."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from agent.errors import ConfigError
from agent.model.canonical import canonical
from agent.model.secret_names import REFERENCE, is_reference
from agent.secrets import Secret


class SecretValues:
    """The secrets that a target lets its manifests name. Values are read anew for each pass, never stored.

    ``key`` is the installation key: fingerprints of different installations cannot be compared. ``learn`` is told each
    secret that stands in clear, in a manifest or in an answer, before anything can be said about it.
    """

    def __init__(
        self,
        sources: Mapping[str, Callable[[], Secret]],
        key: bytes,
        learn: Callable[[Secret], None] = lambda secret: None,
    ) -> None:
        self._sources = sources
        self._key = key
        self._learn = learn
        self._read: dict[str, Secret] = {}
        self._asked: set[str] = set()

    def forget(self) -> None:
        """Every value is read anew when it is needed next, so that a rotated file is seen."""
        self._read.clear()

    def renew(self) -> None:
        """Forget, and follow what earlier passes asked for and a program must yield: in a thread, as it takes time."""
        self.forget()
        for name in self._asked:
            source = self._sources[name]
            if getattr(source, "waits", False):
                with suppress(ConfigError):  # told where the value is needed
                    source()

    def fingerprint(self, leaf: Any) -> str:
        """Keyed hash of a secret leaf: the value itself, or what its reference yields. Raises ConfigError."""
        value = self._value(leaf[REFERENCE]).reveal() if is_reference(leaf) else leaf
        if value is leaf and isinstance(leaf, str):
            self._learn(Secret(leaf))
        return hmac.new(self._key, canonical(value), hashlib.sha256).hexdigest()[:24]

    def revealed(self, body: Any) -> Any:
        """A copy of a body with every reference replaced by its value; only a request may hold it."""
        if is_reference(body):
            return self._value(body[REFERENCE]).reveal()
        if isinstance(body, Mapping):
            return {name: self.revealed(value) for name, value in body.items()}
        if isinstance(body, list):
            return [self.revealed(value) for value in body]
        return body

    def masked(self, body: Any) -> Any:
        """A copy of a body as the journal may hash it: the keyed hash of the whole, so that no value can be guessed."""
        return None if body is None else hmac.new(self._key, canonical(body), hashlib.sha256).hexdigest()

    def _value(self, name: str) -> Secret:
        if name not in self._read:
            source = self._sources.get(name)
            if source is None:
                raise ConfigError(f"secret {name!r} is not among the target's `secrets`", code="secret-unknown")
            self._asked.add(name)
            self._read[name] = source()
        return self._read[name]


class NamedSecrets(SecretValues):
    """The same where values may be out of reach, as in a check: then a reference is told from another by its name.

    ``known`` are fingerprints that somebody else made; ``follows`` says whether references may be followed at all.
    ``unread`` are the names whose value should have been known and was not.
    """

    def __init__(
        self,
        sources: Mapping[str, Callable[[], Secret]],
        key: bytes,
        learn: Callable[[Secret], None] = lambda secret: None,
        *,
        follows: bool,
        known: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(sources, key, learn)
        self._follows = follows
        self._known = dict(known or {})
        self.unread: set[str] = set()

    def renew(self) -> None:
        """Nothing is followed ahead of time where nothing may be followed."""
        if self._follows:
            super().renew()

    def fingerprint(self, leaf: Any) -> str:
        if not is_reference(leaf):
            return super().fingerprint(leaf)
        name = leaf[REFERENCE]
        if name in self._known:
            return self._known[name]
        if self._follows and name not in self.unread:
            try:
                return super().fingerprint(leaf)
            except ConfigError as error:
                if error.error_code == "secret-unknown":
                    raise
        if self._follows:
            self.unread.add(name)
        return hmac.new(self._key, canonical(leaf), hashlib.sha256).hexdigest()[:24]
