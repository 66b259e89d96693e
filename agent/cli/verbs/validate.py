"""``datakeel validate``: every mistake of every manifest at once, without the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

NAME = "validate"
SUMMARY = "check the manifests: schemas, names, references, cycles"
GROUP = "Start"
RANK = 3
EXAMPLE = "datakeel validate manifests/sales -o json"
_FORMATS = ("text", "json")


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_common

    parser.add_argument("paths", nargs="*", metavar="PATH", help="only problems of these files or folders")
    parser.add_argument("--revision", metavar="REV", help="check a commit, branch or tag instead of the working tree")
    add_common(parser, _FORMATS)


def run(arguments: Namespace) -> int:
    """Exit 0, or 3 when a manifest is invalid."""
    from agent.cli import shared, wiring
    from agent.cli.output import write_outputs
    from agent.errors import EXIT_DONE, EXIT_INVALID
    from agent.report.documents import dump_document, problems_document
    from agent.report.problems import render_problems, render_summary, sorted_problems

    outputs = shared.outputs_of(arguments, _FORMATS)
    options = shared.options_of(arguments, worktree=arguments.revision is None, paths=tuple(arguments.paths))
    desired = shared.run_async(wiring.check(shared.config_of(arguments), options))
    found = {problem: None for one in desired for problem in one.problems}  # targets may share a folder
    problems = sorted_problems(problem for problem in found if _is_below(problem.where.path, arguments.paths))
    manifests = sum(len(one.resources) + len(one.broken) for one in desired)

    def text() -> str:
        paint = shared.paint_of(arguments, to_file=outputs[0].file is not None)
        return render_problems(problems, paint=paint) + render_summary(problems, manifests)

    write_outputs(
        outputs, {"text": text, "json": lambda: dump_document(problems_document(problems, manifests=manifests))}
    )
    return EXIT_INVALID if any(problem.severity == "error" for problem in problems) else EXIT_DONE


def _is_below(path: str, wanted: list[str]) -> bool:
    cleaned = [one.removeprefix("./").rstrip("/") for one in wanted]
    return not cleaned or any(one in ("", ".") or path == one or path.startswith(one + "/") for one in cleaned)
