"""``datakeel validate``: every mistake of every manifest at once, without the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence
    from pathlib import Path

    from agent.cli.options import Options, Selector
    from agent.errors import Problem

NAME = "validate"
SUMMARY = "check the manifests: schemas, names, references, cycles"
GROUP = "Start"
RANK = 3
EXAMPLE = "datakeel validate manifests/sales -o json"


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.output import FORMATS_OF_PROBLEMS
    from agent.cli.shared import add_common

    parser.add_argument("paths", nargs="*", metavar="PATH", help="only problems of these files or folders")
    parser.add_argument("--revision", metavar="REV", help="check a commit, branch or tag instead of the working tree")
    add_common(parser, FORMATS_OF_PROBLEMS)


def run(arguments: Namespace) -> int:
    """Exit 0, or 3 when a manifest is invalid."""
    from agent.cli import shared
    from agent.cli.checking import check
    from agent.cli.output import FORMATS_OF_PROBLEMS, write_outputs
    from agent.errors import EXIT_DONE, EXIT_INVALID
    from agent.report.problems import render_problems, render_summary, sorted_problems

    outputs, settings = shared.outputs_of(arguments, FORMATS_OF_PROBLEMS), shared.settings_of(arguments)
    options = shared.options_of(arguments, worktree=arguments.revision is None, paths=tuple(arguments.paths))
    config = shared.config_of(arguments)
    wanted = _from_the_top(arguments.paths, config.source.path, shared.working_folder(), arguments.revision)
    with shared.ended_by_sigterm():
        desired = check(config, options)
    found = {problem: None for one in desired for problem in one.problems}  # targets may share a folder
    problems = sorted_problems(
        problem for problem in found if _is_below(problem.where.path, wanted) and _is_meant(problem, options)
    )
    manifests = sum(len(one.resources) + len(one.broken) for one in desired)

    def text() -> str:
        to_file = not any(output.file is None and output.format == "text" for output in outputs)
        paint = shared.paint_of(arguments, to_file=to_file)
        return render_problems(problems, paint=paint) + render_summary(problems, manifests)

    def document() -> dict[str, Any]:
        from agent.report.documents import problems_document

        return problems_document(problems, manifests=manifests)

    write_outputs(outputs, {"text": text}, document, settings)
    return EXIT_INVALID if any(problem.severity == "error" for problem in problems) else EXIT_DONE


def _from_the_top(paths: Sequence[str], source: Path | None, here: Path, revision: str | None) -> list[str]:
    """The paths as problems name them. They are seen from here, or else from the top of the repository.

    One that leads to nothing is a UsageError: nothing would be checked, and all would seem well.
    """
    import os
    from pathlib import Path

    from agent.errors import UsageError
    from agent.report.escape import clean
    from agent.source.location import find_repository

    if source is None or not paths:
        return list(paths)
    location = find_repository(source)
    top = Path((location and location.top) or source).resolve()
    found = []
    for path in paths:
        absolute = Path(os.path.normpath(here / path))
        absolute = absolute.parent.resolve() / absolute.name
        if absolute.is_relative_to(top) and (revision is not None or os.path.lexists(absolute)):
            found.append(absolute.relative_to(top).as_posix())
        elif revision is not None or os.path.lexists(top / path):
            found.append(path)
        else:
            raise UsageError(
                f"there is no {clean(path, 200)}", fix="write a path from here, or from the repository's top"
            )
    return found


def _is_below(path: str, wanted: Sequence[str]) -> bool:
    cleaned = [one.removeprefix("./").rstrip("/") for one in wanted]
    return not cleaned or any(one in ("", ".") or path == one or path.startswith(one + "/") for one in cleaned)


def _is_meant(problem: Problem, options: Options) -> bool:
    """Whether ``--only`` lets it through. A file of which nobody can tell what it holds is always told."""
    kind, _, name = (problem.subject or "").partition("/")

    def meets(one: Selector) -> bool:
        if one.glob is not None:
            return one.matches(kind, (), name, problem.where.path)
        if not name:
            return not one.exclude
        return one.kind == kind and (not one.names or one.names[-1] == name)

    chosen = [one for one in options.only if not one.exclude]
    return (not chosen or any(map(meets, chosen))) and not any(one.exclude and meets(one) for one in options.only)
