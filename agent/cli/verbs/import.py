"""``datakeel import``: what is live becomes manifests. Sends reads only, and writes new files only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from agent.cli.import_wanted import Wanted
    from agent.cli.importing import Imported

NAME = "import"
SUMMARY = "write manifests of what is live and not in git"
GROUP = "Start"
RANK = 4
EXAMPLE = "datakeel import Workflow Service --in workspace=analytics"
_FORMATS = ("text", "json")


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.objects import add_where
    from agent.cli.shared import add_common

    parser.add_argument("what", nargs="*", metavar="Kind[/name]", help="kinds, or single objects (default: everything)")
    add_where(parser, "where the objects stand")
    parser.add_argument(
        "--out", metavar="DIR", help="the folder for the files (default: the one that the target reads)"
    )
    parser.add_argument(
        "--group", choices=("file", "kind"), default="file", help="a file for each resource, or one for each kind"
    )
    parser.add_argument(
        "--since-inventory", action="store_true", help="leave out what datakeel made or adopted, though git has it not"
    )
    parser.add_argument(
        "--strays", action="store_true", help="only list what is neither in git nor ours; read lists, write nothing"
    )
    add_common(parser, _FORMATS)


def run(arguments: Namespace) -> int:
    """Exit 0; 1 when nothing could be imported of what was asked, 5 when only a part; 4 for kinds that never can be."""
    from pathlib import Path

    from agent.cli import importing, shared
    from agent.cli.import_text import document_of, text_of
    from agent.cli.output import write_outputs
    from agent.cli.progress import Progress
    from agent.report.documents import dump_document
    from agent.report.values import counted

    outputs = shared.outputs_of(arguments, _FORMATS)
    config = shared.config_of(arguments)
    wanted = _wanted(arguments, local=config.source.path is not None)
    line = Progress(quiet=arguments.quiet)

    def tell(target: str, done: int, of: int, calls: int) -> None:
        line.tell(f"{target}: reading {done}/{of} · {counted(calls, 'call')}")

    out = Path(arguments.out) if arguments.out else None
    try:
        done = shared.run_async(importing.import_live(config, wanted.options, wanted, out, arguments.group, tell))
    finally:
        line.close()
    write_outputs(
        outputs,
        {
            "text": lambda: text_of(done, strays=arguments.strays, verbose=arguments.verbose),
            "json": lambda: dump_document(document_of(done, strays=arguments.strays)),
        },
    )
    return status_of(done)


def status_of(done: Sequence[Imported]) -> int:
    """Partly, where something was written and something else that was asked for was not."""
    from agent.cli.exits import first_of
    from agent.errors import EXIT_DONE, EXIT_FAILED, EXIT_PARTLY, EXIT_REFUSED

    failed = any(each.failed or each.survey.faults for each in done)
    refused = any(each.survey.refused for each in done)
    statuses = {EXIT_DONE}
    if failed:
        statuses.add(EXIT_FAILED)
    if refused:
        statuses.add(EXIT_REFUSED)
    if (failed or refused) and any(each.written for each in done):
        statuses.add(EXIT_PARTLY)
    return first_of(statuses)


def _wanted(arguments: Namespace, *, local: bool) -> Wanted:
    from agent.cli import shared
    from agent.cli.arguments import pairs_of
    from agent.cli.import_wanted import Wanted
    from agent.cli.options import Selector
    from agent.errors import UsageError

    chosen = tuple(Selector.parse(text) for text in arguments.what)
    for one in chosen:
        if one.exclude or one.kind is None:
            raise UsageError(
                f"{one.text}: objects are named one by one, or by their kind", fix="write Kind or Kind/name"
            )
    return Wanted(
        chosen,
        pairs_of(arguments.where, "--in"),
        shared.options_of(arguments, worktree=local),
        since_inventory=arguments.since_inventory or arguments.strays,
        content=not arguments.strays,
    )
