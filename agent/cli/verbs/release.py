"""``datakeel release``: let live objects go without deleting them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from agent.cli.owning import Departure

NAME = "release"
SUMMARY = "let live objects go: they stay, and are no longer ours"
GROUP = "Change"
RANK = 9
EXAMPLE = "datakeel release Depot/raw-lake"


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_common, add_target

    parser.add_argument(
        "what", nargs="+", metavar="Kind/name", help="the objects; a kind alone means all that are ours"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_target(parser)
    add_common(parser, (), selecting=False)


def run(arguments: Namespace) -> int:
    """Exit 0 once the word is kept, 4 when nobody agreed, 64 when the object is not ours."""
    import sys

    from agent.cli import objects, owning, shared
    from agent.report.values import counted

    config, options = shared.config_of(arguments), shared.options_of(arguments)
    leaving = owning.release(config, options, objects.several_of(arguments))
    for each in leaving:
        sys.stderr.write(_told(each))
    objects.require_yes(arguments, f"let go these {counted(len(leaving), 'object')}? [y/N] ")
    owning.say(config, [each.word for each in leaving])
    sys.stdout.write(f"released  {counted(len(leaving), 'object')}: the next pass lets go, and nothing is deleted\n")
    return 0


def _told(leaving: Departure) -> str:
    from agent.report.escape import clean

    lines = [f"release    {clean(leaving.word.key.path, 200)}: stays live, no longer ours"]
    if leaving.unmarks:
        lines.append("           one write takes our mark off")
    elif leaving.marked:
        lines.append("           our mark stays: no write takes only that off")
    if leaving.manifest is not None:
        place = clean(f"{leaving.manifest.path}:{leaving.manifest.line}")
        lines.append(f"           its manifest is still in git, {place}: take it out; until then it is shown as held")
    elif not leaving.git_known:
        lines.append("           git could not be read: take its manifest out, if there is one")
    return "".join(f"{line}\n" for line in lines)
