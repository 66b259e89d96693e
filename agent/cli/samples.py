"""The sample manifests, and for each platform the script by which the demo plays it: files, so that no code names one.

Read by the verbs ``demo``, ``sandbox`` and ``init``. A platform is played when its folder of samples holds a
``.demo.yaml``. It never looks at the manifests themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from agent import yaml_io
from agent.definitions.expressions import Expression, ExpressionError
from agent.errors import AgentError

SCRIPT = ".demo.yaml"
CODE = "demo-failed"


@dataclass(frozen=True, slots=True)
class Swap:
    """An edit as people make one: some text of a file becomes another."""

    file: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Watch:
    """What the telling looks at: a manifest, which changes on the platform are its own, the value told of each."""

    manifest: str
    where: Expression
    value: Expression
    called: str


@dataclass(frozen=True, slots=True)
class Drift:
    """What a person does on the platform, as the sandbox takes it. ``left``: nothing is done about it, ``because``."""

    told: str
    click: Mapping[str, Any]
    named: Expression | None
    ends: Literal["healed", "left"]
    because: str


@dataclass(frozen=True, slots=True)
class Removal:
    """A file that leaves git. ``held``: a person decides, ``released``: nothing is there to delete, ``because``."""

    file: str
    ends: Literal["deleted", "released", "held"]
    because: str


@dataclass(frozen=True, slots=True)
class Script:
    """All that is particular to a platform in the demo. ``target`` are keys of its block in ``datakeel.yaml``."""

    platform: str
    folder: Path
    target: Mapping[str, Any]
    watch: Watch
    edit: Swap
    drift: Drift
    removal: Removal
    mistake: Swap
    neighbour: Swap


def sample_folder() -> Path:
    """The sample manifests: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "sample", package.parent / "manifests"):
        if folder.is_dir():
            return folder
    raise AgentError("the sample manifests are not installed", code=CODE)


def scripts(folder: Path) -> dict[str, Script]:
    """The script of every platform that has one, by its name."""
    return {path.parent.name: read_script(path) for path in sorted(folder.glob(f"*/{SCRIPT}"))}


def sample_target(folder: Path, platform: str) -> Mapping[str, Any]:
    """What a target that keeps the samples says besides where its platform is; nothing for a platform without any."""
    path = folder / platform / SCRIPT
    return _mapping(_read(path), "target", path) if path.is_file() else {}


def first_files(folder: Path, platform: str) -> tuple[Path, ...]:
    """The samples to begin a repository with, where the folder's script names some; each stands alone."""
    files = sorted((folder / platform).glob("*.yaml"))
    script = folder / platform / SCRIPT
    named = _read(script).get("first") if script.is_file() else None
    if named is None:
        return ()
    if not isinstance(named, list) or any(folder / platform / str(name) not in files for name in named):
        raise _wrong(script, "`first` must be a list of files beside it")
    return tuple(folder / platform / str(name) for name in named)


def read_script(path: Path) -> Script:
    """The script in a file. Raises AgentError naming the word that is missing or wrong."""
    words = _read(path)
    watch, drift, removal = (_mapping(words, part, path) for part in ("watch", "drift", "removal"))
    return Script(
        platform=path.parent.name,
        folder=path.parent,
        target=_mapping(words, "target", path),
        watch=Watch(
            manifest=_text(watch, "manifest", path),
            where=_expression(watch, "where", path),
            value=_expression(watch, "value", path),
            called=_text(watch, "called", path),
        ),
        edit=_swap(words, "edit", path),
        drift=Drift(
            told=_text(drift, "told", path),
            click=_mapping(drift, "click", path),
            named=_expression(drift, "named", path) if "named" in drift else None,
            ends=cast(Literal["healed", "left"], _one_of(drift, ("healed", "left"), path)),
            because=str(drift.get("because", "")),
        ),
        removal=Removal(
            file=_text(removal, "file", path),
            ends=cast(Literal["deleted", "released", "held"], _one_of(removal, ("deleted", "released", "held"), path)),
            because=str(removal.get("because", "")),
        ),
        mistake=_swap(words, "mistake", path),
        neighbour=_swap(words, "neighbour", path),
    )


def _read(path: Path) -> Mapping[str, Any]:
    loaded = yaml_io.load(path.read_bytes(), yaml_io.CONFIG_BUDGET)
    wrong = next((problem for problem in loaded.problems if problem.severity == "error"), None)
    value = loaded.documents[0].value if loaded.documents and wrong is None else None
    if not isinstance(value, dict):
        raise _wrong(path, wrong.what if wrong is not None else "is no mapping")
    return value


def _mapping(words: Mapping[str, Any], name: str, path: Path) -> Mapping[str, Any]:
    value = words.get(name)
    if not isinstance(value, dict):
        raise _wrong(path, f"`{name}` must be a mapping")
    return value


def _text(words: Mapping[str, Any], name: str, path: Path) -> str:
    value = words.get(name)
    if not isinstance(value, str) or not value:
        raise _wrong(path, f"`{name}` must be a text")
    return value


def _one_of(words: Mapping[str, Any], ends: Sequence[str], path: Path) -> str:
    value = words.get("ends", ends[0])
    if value not in ends:
        raise _wrong(path, f"`ends` is one of {', '.join(ends)}")
    return str(value)


def _swap(words: Mapping[str, Any], name: str, path: Path) -> Swap:
    found = _mapping(words, name, path)
    return Swap(_text(found, "file", path), _text(found, "from", path), _text(found, "to", path))


def _expression(words: Mapping[str, Any], name: str, path: Path) -> Expression:
    try:
        return Expression(_text(words, name, path))
    except ExpressionError as error:
        raise _wrong(path, f"`{name}`: {error}") from error


def _wrong(path: Path, what: str) -> AgentError:
    return AgentError(f"{path.parent.name}/{path.name}: {what}", code=CODE)
