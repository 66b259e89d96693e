"""From words on the command line to an exit status: help, dispatch, and the one door of all errors.

Verbs are the modules of ``cli/verbs``; each has ``NAME``, ``SUMMARY``, ``GROUP``, ``configure(parser)`` and
``run(arguments) -> int`` and imports nothing heavy before it runs. An :class:`AgentError` becomes the text and the exit
status that it carries; anything else is a mistake of ours and is told in one sentence with the code ``internal``.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from agent.errors import AgentError

EXIT_INTERRUPTED = 130
EXIT_PIPE = 141

GROUPS = ("Start", "Change", "Look", "More")
_HEAD = "datakeel keeps the resources of data platforms as a git repository says.\n\nusage: datakeel VERB [OPTION…]\n"
_EXAMPLE = """
Example, in a repository with a datakeel.yaml:
  datakeel validate
  datakeel diff
  datakeel apply

datakeel help VERB shows the options of a verb, its exit statuses and an example; so does datakeel VERB --help.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns the exit status; never raises but for what is a mistake of ours."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or (words[0] in ("-h", "--help", "help") and len(words) == 1):
        return _print(_help())
    if words[0] == "--version":
        words[0] = "version"
    from agent.cli.crashes import Crash
    from agent.cli.output import forget_secrets
    from agent.errors import AgentError

    forget_secrets()
    json_wanted = wants_json(words)
    parsed = None
    try:
        verb, parsed = _parse(words)
        sys.excepthook = Crash(json_wanted, verbose=getattr(parsed, "verbose", False))
        status = int(verb.run(parsed))
        sys.stdout.flush()
        return status
    except AgentError as error:
        try:
            _leave_word(error, parsed)
            return _tell(error, json_wanted, verbose="-v" in words or "--verbose" in words)
        except BrokenPipeError:
            return _pipe_closed()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        return _pipe_closed()


def verbs() -> dict[str, str]:
    """Name of each verb and its module: one file a verb, so that a new verb touches no other file."""
    folder = os.path.join(os.path.dirname(__file__), "verbs")  # noqa: PTH118, PTH120 - pathlib costs start-up time
    names = sorted(name[:-3] for name in os.listdir(folder) if name.endswith(".py") and name != "__init__.py")  # noqa: PTH208
    return {name.replace("_", "-"): f"agent.cli.verbs.{name}" for name in names}


def wants_json(words: Sequence[str]) -> str:
    """``json`` or ``jsonl`` where standard output is to be that, told before the words are parsed, which may fail."""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word in ("-o", "--output") and following in ("json", "jsonl"):
            return following
        if word in ("-ojson", "-ojsonl", "--output=json", "--output=jsonl"):
            return word.removeprefix("-o").removeprefix("--output=")
    return ""


def _parse(words: list[str]) -> tuple[ModuleType, Namespace]:
    from importlib import import_module

    from agent.cli.parser import VerbParser, refuse_secrets, refuse_what_is_no_text, unknown_verb

    refuse_what_is_no_text(words)
    known = verbs()
    if words[0] == "help":
        words = [words[1], "--help"]
    name = words[0]
    if name not in known:
        raise unknown_verb(name, list(known))
    refuse_secrets(name, words[1:])
    verb = import_module(known[name])
    shows_help = any(word in ("-h", "--help") for word in words[1:])
    parser = VerbParser(name, verb.SUMMARY, getattr(verb, "EXAMPLE", ""), verb.run.__doc__ if shows_help else None)
    verb.configure(parser)
    return verb, parser.parse(words[1:])


def _help() -> str:
    from importlib import import_module

    found = [import_module(module) for module in verbs().values()]
    width = max(len(verb.NAME) for verb in found)
    lines = [_HEAD]
    for group in GROUPS:
        members = sorted((verb for verb in found if group == verb.GROUP), key=lambda verb: (verb.RANK, verb.NAME))
        if members:
            lines.append(f"\n{group}\n")
            lines += [f"  {verb.NAME.ljust(width)}  {verb.SUMMARY}\n" for verb in members]
    return "".join(lines) + _EXAMPLE


def _print(text: str) -> int:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        return _pipe_closed()
    return 0


def _tell(error: AgentError, json_wanted: str, *, verbose: bool) -> int:
    from agent.cli.output import print_error, scrubbed

    print_error(error, json_wanted=json_wanted)
    if verbose and error.__cause__ is not None:
        import traceback

        sys.stderr.write(scrubbed("".join(traceback.format_exception(error.__cause__))))
    return error.exit_status


def _leave_word(error: AgentError, parsed: Namespace | None) -> None:
    """What was asked to be written tells the error, unless the command was not understood, or was not the trouble."""
    from agent.cli.output import write_failure
    from agent.errors import UsageError

    if parsed is not None and not isinstance(error, UsageError) and error.error_code != "output-failed":
        write_failure(error, getattr(parsed, "output", ()))


def _pipe_closed() -> int:
    """The reader of our output went away, as ``head`` does: not worth a word."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return EXIT_PIPE
