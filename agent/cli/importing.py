"""``import``: live objects become files of the work tree. Reads the platform, writes new files, and nothing else.

Built on ``import_reading`` (what is live) and the room ``importing`` (what of it a manifest says). A file that exists
is a person's and is never written to; nothing is committed, adopted or sent.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent.cli.finding import git_of, having
from agent.cli.import_reading import Survey, survey
from agent.cli.import_schema import EditorSchema
from agent.cli.import_wanted import Wanted
from agent.cli.opening import Opened, open_targets
from agent.cli.options import Options
from agent.cli.output import scrubbed
from agent.config.model import Config
from agent.errors import AgentError, UsageError
from agent.importing.manifest import Manifest, file_of, manifest_of
from agent.importing.overlaid import changed_by
from agent.importing.paths import Group, grouped, paths_of
from agent.importing.shape import shape
from agent.importing.shaped import Hidden, Unfit
from agent.model.identity import Key
from agent.reconcile.neighbours import held_by_twins
from agent.reconcile.target import Target
from agent.report.escape import clean
from agent.source.location import find_repository
from agent.source.tree import folder_in

Progress = Callable[[str, int, int, int], None]
"""Told of a target, what was read, of how many, and the calls so far."""


@dataclass(slots=True)
class Imported:
    """What came of one target. ``written`` pairs each imported object with its file, as a person would call it."""

    survey: Survey
    written: dict[Key, str] = field(default_factory=dict)
    manifests: dict[Key, Manifest] = field(default_factory=dict)
    failed: dict[Key, AgentError] = field(default_factory=dict)
    files: int = 0
    calls: int = 0
    schema: str | None = None  # for editors, where it had to be written
    outside: str = ""  # the folder that the target reads, where the files do not stand below it

    @property
    def target(self) -> str:
        return self.survey.target.name

    @property
    def secrets(self) -> dict[str, list[tuple[Key, str]]]:
        """Names to set, and where each stands; without those that the target has already."""
        known = self.survey.target.config.secrets
        found: dict[str, list[tuple[Key, str]]] = {}
        for key in sorted(self.written):
            for name, place in sorted(self.manifests[key].secrets.items()):
                if name not in known:
                    found.setdefault(name, []).append((key, place))
        return found

    @property
    def waiting(self) -> list[Key]:
        """Imported objects whose secrets the platform does not show, so that nobody can tell that they are the same."""
        return [key for key in sorted(self.written) if self.manifests[key].waits]


async def import_live(
    config: Config, options: Options, wanted: Wanted, out: Path | None, group: Group, progress: Progress
) -> tuple[Imported, ...]:
    """Every target in turn. Raises UsageError before anything is sent."""
    if out is None and config.source.path is None:
        raise UsageError("the source is no local repository, so it is not known where files belong", fix="--out DIR")
    async with open_targets(config, options, writable=False) as opened:
        _refuse_unknown(opened, wanted)
        found = []
        for target in opened.targets:
            mine = replace(wanted, chosen=tuple(one for one in wanted.chosen if one.kind in target.platform.kinds))
            if bool(mine.chosen) == bool(wanted.chosen):
                found.append(await _import(target, opened, options, mine, out, group, progress))
        return tuple(found)


def _refuse_unknown(opened: Opened, wanted: Wanted) -> None:
    for one in wanted.chosen:
        having(opened, one)
    if any(one.glob is not None for one in wanted.options.only):
        raise UsageError("--only path:GLOB is about manifests, and live objects have no path", fix="write Kind/name")


async def _import(
    target: Target,
    opened: Opened,
    options: Options,
    wanted: Wanted,
    out: Path | None,
    group: Group,
    progress: Progress,
) -> Imported:
    git = git_of(target, opened, options)
    tell = lambda done, of: progress(target.name, done, of, target.api.calls.total())  # noqa: E731
    done = Imported(await survey(target, git, wanted, tell, held_by_twins(target, git.revision)))
    done.failed |= done.survey.failed
    if wanted.content:
        make_manifests(done)
        top, home = _home(opened.config, target)
        folder = home if out is None else out
        if home is not None and folder is not None and not _resolved(folder).is_relative_to(_resolved(home)):
            done.outside = target.config.folder
        assert folder is not None
        _write(done, folder, top, group, EditorSchema(opened.config, target.platform, top))
    done.calls = target.api.calls.total()
    return done


def make_manifests(done: Imported) -> None:
    """Manifests of all that was read; one that cannot be had is told of the object that it would be of."""
    target = done.survey.target
    for key, live in sorted(done.survey.live.items()):
        kind = target.platform.kinds[key.kind]
        schema, book, wires = target.types(kind), target.books.of(key), done.survey.wires(key)
        assert schema is not None
        try:
            shaped = shape(book, schema, key, live, wires, platform=target.platform.name)
            made = manifest_of(target.platform, book, schema, key, shaped, live, wires)
        except Hidden as hidden:
            done.survey.left[key] = f"{hidden}: write its manifest, then `datakeel adopt` takes it over"
            continue
        except Unfit as unfit:
            done.failed[key] = AgentError(f"no manifest can ask for it: {unfit}", code="not-importable")
            continue
        if scrubbed(made.text) != made.text:
            what = "it holds a credential that this command uses, so it was not written to a file"
            done.failed[key] = AgentError(what, code="not-importable")
            continue
        done.manifests[key] = made


def _write(done: Imported, folder: Path, top: Path | None, group: Group, schema: EditorSchema) -> None:
    taken = set(_files_below(folder))
    paths = paths_of(done.manifests, group, taken)
    for path, keys in grouped(paths).items():
        shown = _shown(folder / path, top)
        keys = [key for key in keys if done.outside or not _is_overlaid(done, key, shown)]
        if not keys:
            continue
        try:
            write_new(folder, path, file_of((done.manifests[key] for key in keys), schema.line(folder / path)))
        except FileExistsError:
            what, fix = f"{shown} exists already and was left as it is", "move it away, or choose another --out"
            done.failed |= {key: AgentError(what, code="file-exists", fix=fix) for key in keys}
        except OSError as error:
            what = f"{shown} cannot be written: {error.strerror}"
            done.failed |= {key: AgentError(what, code="output-failed") for key in keys}
        else:
            done.files += 1
            done.written |= dict.fromkeys(keys, shown)
    done.schema = schema.written


def _is_overlaid(done: Imported, key: Key, path: str) -> bool:
    """Whether the target's overlays would make the manifest say something else; that is told of the object then."""
    target = done.survey.target
    rendering = target.last.rendering
    if rendering is None:
        return False
    inputs = rendering.inputs_for(path, (key.kind, key.scope, key.name))
    place = changed_by(done.manifests[key], target.platform, inputs)
    if place is not None:
        what = f"an overlay would change what it says: {clean(place, 200)}"
        fix = "select fewer manifests there, or write a manifest that says what is live under that overlay"
        done.failed[key] = AgentError(what, code="not-importable", fix=fix)
    return place is not None


def write_new(folder: Path, path: str, content: bytes, link: Callable[[str, Path], None] = os.link) -> None:
    """A new file that appears whole, and never in place of another. Raises OSError, FileExistsError among them."""
    import tempfile

    final = folder / path
    final.parent.mkdir(parents=True, exist_ok=True)
    if not final.parent.resolve().is_relative_to(folder.resolve()):
        raise FileExistsError(f"{final.parent} leads elsewhere")
    descriptor, name = tempfile.mkstemp(prefix=".import-", dir=final.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).chmod(0o666 & ~_umask())
        try:
            link(name, final)  # fails where something is, even a link that leads nowhere
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            with final.open("xb") as file:
                try:
                    file.write(content)
                except OSError:
                    final.unlink()
                    raise
    finally:
        with suppress(OSError):
            Path(name).unlink()


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _home(config: Config, target: Target) -> tuple[Path | None, Path | None]:
    """The top of the work tree, and the folder in it that the target reads; None without a local one."""
    if config.source.path is None:
        return None, None
    location = find_repository(config.source.path)
    top, prefix = config.source.path.resolve(), ""
    if location is not None and location.top is not None:
        top, prefix = location.top.resolve(), location.prefix
    return top, top / folder_in(prefix, target.config.folder)


def _files_below(folder: Path) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        folders[:] = [each for each in folders if each != ".git"]
        for name in files:
            yield Path(place, name).relative_to(folder).as_posix()


def _shown(path: Path, top: Path | None) -> str:
    whole = _resolved(path)
    for base in (top, Path.cwd()):
        if base is not None and whole.is_relative_to(base):
            return whole.relative_to(base).as_posix()
    return str(path)


def _resolved(path: Path) -> Path:
    return Path(os.path.normpath(Path.cwd() / path))
