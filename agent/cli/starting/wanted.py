"""What a new repository is to hold: the words of the command line, and what a person answers where one can be asked.

Used by ``begin``. Nothing is asked off a terminal, and with ``--platform`` only what has no default.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from agent.cli.starting import SANDBOX
from agent.errors import UsageError
from agent.report.escape import clean

_TRIES = 5


class Ask(Protocol):
    """Puts a question to a person: :func:`ask`."""

    def __call__(
        self,
        question: str,
        default: str | None,
        choices: Sequence[str] = (),
        wrong: Callable[[str], str | None] = ...,
    ) -> str: ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """The words of the command line. ``servers`` by platform, "" for the only one; ``ask`` is None off a terminal."""

    folder: Path
    schemas: tuple[Path, ...] = ()
    platforms: tuple[str, ...] = ()
    servers: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    scopes: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None
    ci: str | None = None
    deploy: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()
    begin_with: str | None = None
    ask: Ask | None = None

    @property
    def asks_all(self) -> bool:
        """Whether also that is asked which has a default."""
        return self.ask is not None and not self.platforms


def ask(
    question: str,
    default: str | None,
    choices: Sequence[str] = (),
    wrong: Callable[[str], str | None] = lambda said: None,
) -> str:
    """An answer of a person, on standard error: the result alone goes to standard output.

    An empty one takes the default; ``choices`` are words of which it must be one, or its number, and ``wrong`` tells
    what is wrong with one. UsageError after five answers that are none, or when the person closes the input.
    """
    for number, choice in enumerate(choices if len(choices) > 3 else (), 1):
        sys.stderr.write(f"  {number}  {choice}\n")
    among = f" ({', '.join(choices)})" if 0 < len(choices) <= 3 else ""
    for _ in range(_TRIES):
        sys.stderr.write(f"{question}{among}{f' [{default}]' if default is not None else ''}: ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            raise UsageError(f"{question}: no answer", fix="say it by an option: datakeel init --help")
        said = line.strip() or default
        if said is not None and choices and said.isdigit() and 0 < int(said) <= len(choices):
            said = choices[int(said) - 1]
        if said is None or (choices and said not in choices):
            sys.stderr.write(f"  {'one of ' + ', '.join(choices) if choices else 'it has no default'}\n")
            continue
        fault = wrong(said)
        if fault is None:
            return said
        sys.stderr.write(f"  {clean(fault, 200)}\n")
    raise UsageError(f"{question}: no answer that is known", fix="say it by an option: datakeel init --help")


def servers_of(words: Sequence[str], platforms: Sequence[str]) -> dict[str, str]:
    """``--server``: an address for the only platform, or ``NAME=ADDRESS`` for each; ``sandbox`` is one as well."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, address = word.partition("=")
        if not equals or name not in platforms:
            name, address = "", word
        if name in found:
            raise UsageError(f"--server stands twice for {name or 'all'}", fix="--server NAME=URL for each platform")
        found[name] = address
    if "" in found and len(platforms) > 1 and found[""] != SANDBOX:
        what = f"--server {clean(found[''], 80)}: for which of {', '.join(platforms)}?"
        raise UsageError(what, fix=f"--server {platforms[0]}=ADDRESS")
    return found
