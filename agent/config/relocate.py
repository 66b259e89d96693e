"""The configuration as another revision of its repository has it: the same places, read from that revision's copies.

Called by ``load`` where a pull request is checked. What a credential, a definition or a certificate is must not be
decided by files that nobody merged, though the configuration names them by paths into the work tree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from agent.config.model import Config, Signers, TargetConfig
from agent.secrets import Reference


@dataclass(frozen=True, slots=True)
class Merged:
    """``content`` of the file itself; ``place`` leads to the copy of any other; commands run in ``folder``."""

    content: bytes
    place: Callable[[Path], Path]
    folder: Path


def relocated(config: Config, merged: Merged) -> Config:
    """The same configuration with every file that it names in its copy; where manifests and state lie stays."""
    source = replace(
        config.source,
        credentials=_references(config.source.credentials, merged),
        known_hosts=_path(config.source.known_hosts, merged),
        ca_file=_path(config.source.ca_file, merged),
        signers=_signers(config.source.signers, merged),
    )
    targets = {name: _target(target, merged) for name, target in config.targets.items()}
    key = None if config.snapshot_key is None else _reference(config.snapshot_key, merged)
    password = None if config.state_password is None else _reference(config.state_password, merged)
    return replace(config, source=source, targets=targets, snapshot_key=key, state_password=password)


def _target(target: TargetConfig, merged: Merged) -> TargetConfig:
    return replace(
        target,
        credentials=_references(target.credentials, merged),
        secrets=_references(target.secrets, merged),
        ca_file=_path(target.ca_file, merged),
    )


def _references(references: Mapping[str, Reference], merged: Merged) -> dict[str, Reference]:
    return {name: _reference(reference, merged) for name, reference in references.items()}


def _reference(reference: Reference, merged: Merged) -> Reference:
    if reference.kind == "env":
        return reference
    if reference.kind == "exec":
        words = (reference.value,) if isinstance(reference.value, str) else reference.value
        return replace(reference, value=tuple(_word(word, merged) for word in words), folder=str(merged.folder))
    return replace(
        reference,
        value=str(merged.place(Path(str(reference.value)))),
        identity=str(merged.place(Path(reference.identity))) if reference.identity else "",
        folder=str(merged.folder),
    )


def _word(word: str, merged: Merged) -> str:
    """A word of a command that may be a file of the repository: its copy, where it is absolute; else it is put there.

    The command runs in the copy of the folder that we run in, so that a relative word finds what was merged.
    """
    if word.startswith("/"):
        return str(merged.place(Path(word)))
    if word and not word.startswith("-"):
        merged.place(Path.cwd() / word)
    return word


def _signers(signers: Signers | None, merged: Merged) -> Signers | None:
    return None if signers is None else Signers(_path(signers.ssh, merged), _path(signers.gpg, merged))


def _path(path: Path | None, merged: Merged) -> Path | None:
    return None if path is None else merged.place(path)
