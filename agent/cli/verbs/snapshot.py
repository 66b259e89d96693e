"""``datakeel snapshot``: live as a signed file without secrets, with which others plan and send nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

NAME = "snapshot"
SUMMARY = "write down what is live, signed and without secrets, for plans without a credential"
GROUP = "Look"
RANK = 6
EXAMPLE = "datakeel snapshot live.json   and elsewhere   datakeel diff --base main --snapshot live.json"


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_common, add_target

    parser.add_argument("file", metavar="FILE", help="where the snapshot is written")
    parser.add_argument(
        "--revision", metavar="REV", help="the revision that says what is looked for (default: the newest)"
    )
    parser.add_argument("--fresh", action="store_true", help="believe no remembered read")
    add_target(parser)
    add_common(parser, (), selecting=False)


def run(arguments: Namespace) -> int:
    """Exit 0, or 1 when not everything could be read: then the file tells what is unknown."""
    import sys
    from pathlib import Path

    from agent.cli import shared, snapshots
    from agent.cli.output import write_file
    from agent.errors import EXIT_DONE, EXIT_FAILED
    from agent.report.documents import dump_document
    from agent.report.escape import clean
    from agent.report.values import counted

    taken = shared.run_async(snapshots.take(shared.config_of(arguments), shared.options_of(arguments)))
    write_file(Path(arguments.file), dump_document(taken.document))
    for name, seen, unread in taken.targets:
        lost = f", {unread} could not be read" if unread else ""
        sys.stdout.write(f"{clean(name)}: {counted(seen, 'object')}{lost}\n")
    sys.stdout.write(f"written to {clean(arguments.file)}, signed, {counted(taken.calls, 'call')}\n")
    sys.stdout.write(f"next       datakeel diff --snapshot {clean(arguments.file)}\n")
    return EXIT_FAILED if any(unread for _, _, unread in taken.targets) else EXIT_DONE
