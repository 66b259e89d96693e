"""``datakeel render``: the manifests after variables and overlays, as YAML, without the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence
    from pathlib import Path

    from agent.cli.rendering import RenderedTarget
    from agent.config.model import Config
    from agent.errors import Problem

NAME = "render"
SUMMARY = "print the manifests after variables and overlays"
GROUP = "Start"
RANK = 4
_FORMATS = ("text", "json")
EXAMPLE = "datakeel render --only Workflow/daily-etl --origins"


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_common

    parser.add_argument("--revision", metavar="REV", help="render a commit, branch or tag instead of the working tree")
    parser.add_argument("--origins", action="store_true", help="tell of each value where it was written")
    parser.add_argument("--full", action="store_true", help="with --origins: show lists that came whole, too")
    into = parser.add_mutually_exclusive_group()
    into.add_argument("--out", metavar="DIR", help="write the rendering into a folder instead, a file for each file")
    into.add_argument("--check", metavar="DIR", help="end with 2 when the rendering in a folder is stale")
    add_common(parser, _FORMATS)


def run(arguments: Namespace) -> int:
    """Exit 0, 2 when ``--check`` finds a stale rendering, 3 when a manifest is invalid."""
    from agent.cli import rendering, shared
    from agent.cli.output import write_outputs
    from agent.errors import EXIT_DONE, EXIT_INVALID

    outputs = shared.outputs_of(arguments, _FORMATS)
    options = shared.options_of(arguments, worktree=arguments.revision is None)
    folder = _folder(arguments)
    config = shared.config_of(arguments)
    if folder is not None:
        _refuse_inside(folder, config, options.targets)
    targets = rendering.rendered_targets(config, options)
    problems = [problem for target in targets for problem in target.desired.problems]
    wrong = any(problem.severity == "error" for problem in problems)
    if folder is not None:
        problems += [problem for target in targets for problem in target.clear]
    _tell(problems)
    if folder is not None:
        if wrong or any(target.clear for target in targets):
            return EXIT_INVALID
        return _into(folder, targets, write=arguments.out is not None)
    status = EXIT_INVALID if wrong else EXIT_DONE
    write_outputs(
        outputs,
        {
            "text": lambda: _text(targets, arguments),
            "json": lambda: _json(targets, problems, arguments, status),
        },
    )
    return status


def _folder(arguments: Namespace) -> Path | None:
    from pathlib import Path

    from agent.errors import UsageError

    named = arguments.out if arguments.out is not None else arguments.check
    if arguments.full and not arguments.origins:
        raise UsageError("--full belongs to --origins", fix="without --origins nothing is shortened")
    if named is None:
        return None
    word = "--out" if arguments.out is not None else "--check"
    others = (("--origins", arguments.origins), ("--only", arguments.only), ("-o", arguments.output))
    if other := next((flag for flag, given in others if given), None):
        raise UsageError(f"{word} is about whole targets, without {other}", fix="choose targets with --target")
    if not named:
        raise UsageError(f"{word} needs a folder")
    place = Path(named)
    if not place.is_absolute():  # of a checkout, where anybody may have put a link
        for part in (place, *place.parents):
            if part.is_symlink():
                raise UsageError(f"{part} is a symbolic link, which is not followed", fix="name the folder itself")
    return place


def _refuse_inside(folder: Path, config: Config, chosen: Sequence[str]) -> None:
    """A rendering among the manifests would be read as manifests: everything would be declared twice."""
    from agent.errors import UsageError
    from agent.source.location import find_repository

    if config.source.path is None:
        return
    location = find_repository(config.source.path)
    top = ((location and location.top) or config.source.path).resolve()
    prefix = location.prefix if location is not None else ""
    place = folder.resolve()
    for name, target in config.targets.items():
        for read in (target.folder, *target.overlays) if not chosen or name in chosen else ():
            within = top / prefix / read
            if place.is_relative_to(within.resolve()) or within.resolve().is_relative_to(place / name):
                raise UsageError(
                    f"{folder} lies in a folder of manifests of target {name}", fix="render into a folder beside it"
                )


def _tell(problems: Sequence[Problem]) -> None:
    import sys

    from agent.cli.output import scrubbed
    from agent.report.problems import render_problems

    told = list(dict.fromkeys(problem for problem in problems if problem.severity != "info"))
    sys.stderr.write(scrubbed(render_problems(told)))


def _text(targets: Sequence[RenderedTarget], arguments: Namespace) -> str:
    from agent.cli.rendered_text import Origins, as_yaml

    documents = []
    for target in targets:
        variables = {name: variable.where for name, variable in target.config.variables.known.items()}
        for file in target.files:
            origins = Origins(target.config.name, file.path, variables, full=arguments.full)
            documents += [origins.text(each) if arguments.origins else as_yaml(each) for each in file.manifests]
    return "---\n".join(documents)


def _json(
    targets: Sequence[RenderedTarget], problems: Sequence[Problem], arguments: Namespace, exit_status: int
) -> str:
    from agent.cli.output import scrubbed_members
    from agent.cli.rendered_json import document_of
    from agent.report.documents import dump_document

    made = document_of(targets, problems, origins=arguments.origins, exit_status=exit_status)
    return dump_document(scrubbed_members(made))


def _into(folder: Path, targets: Sequence[RenderedTarget], *, write: bool) -> int:
    import sys

    from agent.cli import rendered_files
    from agent.cli.output import scrubbed
    from agent.errors import EXIT_CHANGES, EXIT_DONE
    from agent.report.escape import clean
    from agent.report.values import counted

    wanted = rendered_files.texts_of(targets)
    found = rendered_files.compare(folder, wanted, [target.config.name for target in targets])
    if write:
        rendered_files.write(folder, wanted, found)
    words = (
        (("written", found.missing), ("written", found.stale), ("removed", found.left))
        if write
        else (("missing", found.missing), ("stale", found.stale), ("foreign", found.foreign), ("left over", found.left))
    )
    lines = [f"{word:<10} {clean(str(folder / path))}" for word, paths in words for path in paths]
    changed = len(lines)
    state = "up to date" if write or not changed else f"up to date, {changed} not"
    lines.append(f"{counted(found.same, 'file')} {state}" + (f", {changed} changed" if write and changed else ""))
    if not write and changed:
        lines.append(f"next       datakeel render --out {clean(str(folder))}")
    sys.stdout.write(scrubbed("".join(f"{line}\n" for line in lines)))
    sys.stdout.flush()
    return EXIT_CHANGES if not write and found.differs else EXIT_DONE
