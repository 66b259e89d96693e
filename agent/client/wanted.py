"""The arguments of ``connect``, and what each of them means to a definition. Nothing is opened here.

Called by ``opening``. Words that are no argument of ``connect`` are the definition's: credentials, settings, scopes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.config.policy_words import budget_of
from agent.config.references import reference_faults, reference_of
from agent.definitions.platform import Platform, Window
from agent.errors import ConfigError, UsageError
from agent.secrets import Reader, Redactor, Secret
from agent.validate.findings import nearest

if TYPE_CHECKING:
    import httpx

_WORDS = {"env", "file", "exec", "sops", "age"}
_REFERENCE = "write one of {'env': 'NAME'}, {'file': 'PATH'}, {'exec': ['COMMAND', …]}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The arguments of ``connect``; ``words`` are those that the definition gives a meaning to."""

    platform: str | None = None
    target: str | None = None
    config: str | os.PathLike[str] | None = None
    server: str | None = None
    schemas: Sequence[str | os.PathLike[str]] = ()
    credentials: Mapping[str, Any] = field(default_factory=dict, repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Any] = field(default_factory=dict, repr=False)
    state: str | None = None
    budget: Sequence[Mapping[str, Any]] | str | None = None
    reserve: float = 0.2
    deadline: float = 30.0
    wait_max: float | None = 300.0
    ca_file: str | os.PathLike[str] | None = None
    proxy: str | None = None
    trust_env: bool = False
    allow_http: bool = False
    transport: httpx.AsyncBaseTransport | None = None
    words: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, platform: str | None, known_as: str | None, arguments: Mapping[str, Any]) -> Wanted:
        """From keywords as they were given; those that are no argument here are words of the definition.

        ``known_as`` is the platform of a class that stands for one, which then is not said again.
        """
        if platform is not None and known_as is not None:
            raise UsageError(f"this class is of {known_as}", fix="name the rest: server='https://…'")
        own = {each.name for each in fields(cls)} - {"platform", "words"}
        known = {name: value for name, value in arguments.items() if name in own}
        known = {name: value for name, value in known.items() if value is not None or name == "wait_max"}
        words = {name: value for name, value in arguments.items() if name not in own}
        return cls(platform or known_as, words=words, **known)


class Asked:
    """A credential that a function yields: asked when it is first needed, and again once the platform refused it."""

    def __init__(self, ask: Callable[[], Any], learn: Callable[[Secret], None]) -> None:
        self._ask = ask
        self._learn = learn
        self._kept: Secret | None = None

    def __call__(self) -> Secret:
        if self._kept is None:
            told = self._ask()
            self._kept = told if isinstance(told, Secret) else Secret(str(told))
            self._learn(self._kept)
        return self._kept

    @property
    def waits(self) -> bool:
        """It may take long: the connection then asks in a thread of its own."""
        return self._kept is None

    def forget(self) -> None:
        self._kept = None


def windows_of(written: Sequence[Mapping[str, Any]] | str | None) -> tuple[Window, ...] | None:
    """Call limits as a configuration writes them. Raises UsageError."""
    try:
        return budget_of(written)
    except (KeyError, TypeError, ValueError):
        raise UsageError(
            f"budget={written!r} is not understood", fix='budget="off", or [{"requests": 300, "per": "1m"}]'
        ) from None


def sorted_words(platform: Platform, wanted: Wanted) -> dict[str, dict[str, Any]]:
    """Words of the definition by what they are; None counts as not said, as of a variable that is not set."""
    places = {
        "credentials": {name for scheme in platform.auth for name in scheme.secrets},
        "settings": set(platform.settings),
        "defaults": {word.word for kind in platform.kinds.values() for word in kind.scope},
    }
    found: dict[str, dict[str, Any]] = {name: {} for name in places}
    for word, value in wanted.words.items():
        place = next((name for name, words in places.items() if word in words), None)
        if place is None:
            known = sorted(set().union(*places.values()))
            fix = nearest(word, known) or f"{platform.api_version} knows {', '.join(known) or 'none'}"
            raise UsageError(f"connect() takes no `{word}` for {platform.api_version}", fix=fix)
        if value is not None:
            found[place][word] = value
    return found


def sources_of(values: Mapping[str, Any], redactor: Redactor) -> dict[str, Callable[[], Secret]]:
    """Each as what yields it: a text, a function, or a reference as a configuration has it (``{"env": "TOKEN"}``)."""
    sources: dict[str, Callable[[], Secret]] = {}
    for name, value in values.items():
        if value is None:
            continue
        if isinstance(value, Mapping):
            _check_reference(name, value)
            reference = reference_of(dict(value), Path.cwd(), frozenset())
            sources[name] = Reader(reference, several_lines=True, learn=redactor.add)
        elif callable(value):
            sources[name] = Asked(value, redactor.add)
        elif isinstance(value, str):
            secret = value if isinstance(value, Secret) else Secret(value)
            redactor.add(secret)
            sources[name] = partial(_itself, secret)
        else:
            raise UsageError(f"`{name}` is a {type(value).__name__}", fix="a text, a function, or {'env': 'NAME'}")
    return sources


def _check_reference(name: str, value: Mapping[str, Any]) -> None:
    fault = next(iter(reference_faults((), {name: dict(value)})), None)
    if fault is not None:
        raise ConfigError(f"`{name}`: {fault.what}", fix=fault.fix, code=fault.code)
    if not _WORDS & set(value):  # a configuration's schema says this
        raise ConfigError(f"`{name}` is a reference to nothing", fix=_REFERENCE, code="credential-invalid")


def _itself(secret: Secret) -> Secret:
    return secret
