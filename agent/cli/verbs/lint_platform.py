"""``datakeel lint-platform DIR``: is a description right, what does it promise, what is missing?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable

    from agent.cli.linting import Lint

NAME = "lint-platform"
SUMMARY = "check a platform folder: its words, samples and examples, its promises, what is missing"
GROUP = "More"
RANK = 2
EXAMPLE = "datakeel lint-platform platforms/bookshelf"
_FORMATS = ("text", "json")
_FORMAT = "datakeel.lint/1"


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_printing, add_schemas

    parser.add_argument("folder", metavar="DIR", help="the folder in which a platform.yaml stands")
    add_schemas(parser)
    add_printing(parser, _FORMATS)


def run(arguments: Namespace) -> int:
    """Exit 0, also when something is missing; 78 when the definition, a sample or an example is wrong."""
    from pathlib import Path

    from agent.cli import shared
    from agent.cli.linting import lint
    from agent.cli.output import write_outputs
    from agent.errors import EXIT_CONFIG, EXIT_DONE
    from agent.report.documents import dump_document

    outputs = shared.outputs_of(arguments, _FORMATS)
    found = lint(Path(arguments.folder), shared.schemas_of(arguments))

    def text() -> str:
        return _text(found, shared.paint_of(arguments, to_file=outputs[0].file is not None))

    write_outputs(outputs, {"text": text, "json": lambda: dump_document(_document(found))})
    return EXIT_DONE if found.clean else EXIT_CONFIG


def _text(found: Lint, paint: Callable[[str, str], str]) -> str:
    from agent.definitions.promise_words import about_promises
    from agent.report.escape import clean
    from agent.report.explanation_text import explanation_text
    from agent.report.problems import render_problems
    from agent.report.values import counted

    text = render_problems(found.problems, paint=paint)
    if found.platform is None:
        return text + _verdict(found)
    platform = found.platform
    managed = sum(1 for kind in platform.kinds.values() if kind.managed)
    tried = (
        f"{counted(managed, 'managed kind')}, {len(platform.kinds) - managed} observed, "
        f"{counted(found.samples, 'sample answer')}, {found.valid} valid and {found.invalid} invalid examples"
    )
    title = paint("heading", f"{platform.api_version} · {clean(found.folder)}")
    promised = "".join(f"{clean(line)}\n" for line in explanation_text(about_promises(platform)).splitlines()[2:])
    return f"{text}\n{title}\n{tried}\n\n{promised}\n{_todo(found)}{_verdict(found)}".lstrip("\n")


def _todo(found: Lint) -> str:
    """What is to be confirmed, a line each."""
    from agent.report.escape import clean

    if not found.todo:
        return ""
    rows = [(str(one.where), one.sure, f"{one.subject}: {one.what}" if one.subject else one.what) for one in found.todo]
    wide = max(len(place) for place, _, _ in rows)
    lines = [f"  {clean(place, 300).ljust(wide)}  {sure.ljust(6)}  {clean(what, 300)}" for place, sure, what in rows]
    return "\n".join(["To be confirmed before it can be trusted", *lines, "", ""])


def _verdict(found: Lint) -> str:
    from agent.report.values import counted

    errors, lacking, notes = (_count(found, severity) for severity in ("error", "warning", "info"))
    rest = f"{counted(lacking, 'thing')} missing, {counted(notes, 'note')}"
    if errors:
        return f"{counted(errors, 'mistake')}, {rest}\n" if found.platform else f"{counted(errors, 'mistake')}\n"
    todo = f", {len(found.todo)} to be confirmed" if found.todo else ""
    return f"no mistake, {rest}{todo}\n"


def _document(found: Lint) -> dict[str, object]:
    from dataclasses import asdict

    from agent import __version__
    from agent.definitions.promise_words import USUAL, limits, observed, prices
    from agent.definitions.promises import promises
    from agent.report.documents import problem_document

    document: dict[str, object] = {
        "format": _FORMAT,
        "agent": __version__,
        "folder": found.folder,
        "platform": found.platform.api_version if found.platform else None,
        "summary": {severity: _count(found, severity) for severity in ("error", "warning", "info")},
        "tried": {"samples": found.samples, "valid": found.valid, "invalid": found.invalid},
        "problems": [problem_document(problem) for problem in found.problems],
        "todo": [
            {
                "file": one.where.path,
                "line": one.where.line,
                "column": one.where.column,
                "sure": one.sure,
                "subject": one.subject,
                "what": one.what,
            }
            for one in found.todo
        ],
    }
    if found.platform is not None:
        kinds = found.platform.kinds.values()
        said = {name: list(sentences) for names, sentences in limits(found.platform) for name in names}
        cost = {name: times for names, _, times in prices(found.platform) for name in names}
        document["usual"] = list(USUAL)
        document["promises"] = [
            {
                **asdict(promises(kind)),
                "guesses": dict(promises(kind).guesses),
                "cannot": said[kind.name],
                "shortest": dict(zip(("10", "100", "1000"), cost[kind.name], strict=True)),
            }
            for kind in kinds
            if kind.managed
        ]
        document["observed"] = observed(found.platform)
    return document


def _count(found: Lint, severity: str) -> int:
    return sum(1 for problem in found.problems if problem.severity == severity)
