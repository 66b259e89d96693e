"""``datakeel completion SHELL``: the script by which a shell completes verbs, options, kinds and names of resources."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

NAME = "completion"
SUMMARY = "print the script by which a shell completes verbs, options, kinds and names"
GROUP = "More"
RANK = 3
EXAMPLE = "datakeel completion fish | source"


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell that is to complete")
    parser.add_argument(
        "words",
        nargs="*",
        metavar="TEXT",
        help="behind --: print what the last of these words could become, as the script asks for it",
    )


def run(arguments: Namespace) -> int:
    """Exit 0, also where nothing may come next."""
    import sys

    if not arguments.words:
        from agent.cli.completion_scripts import SCRIPTS

        sys.stdout.write(SCRIPTS[arguments.shell])
        return 0
    from agent.cli.completing import candidates
    from agent.cli.completion_names import names_here
    from agent.report.escape import clean

    found = candidates(arguments.words, names_here(_config(arguments.words)))
    sys.stdout.write("".join(f"{clean(each.word, 300)}\t{clean(each.meaning, 200)}\n" for each in found))
    return 0


def _config(words: list[str]) -> str | None:
    """What the line says of ``--config``, which tells the targets and the state."""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == "--config":
            return following or None
        if word.startswith("--config="):
            return word.partition("=")[2] or None
    return None
