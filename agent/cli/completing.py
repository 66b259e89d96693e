"""What may come next on a command line that is being typed: for the scripts that ``completion`` prints.

A shell asks at each press of a key, so nothing heavy is loaded: verbs and options come from the parsers, names from the
configuration's text, from schemas for editors, and from the state, without a call to any platform. Never raises for
what it cannot read: nothing is offered then.
"""

from __future__ import annotations

from argparse import Action, ArgumentParser
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import NamedTuple

from agent.cli.completion_names import Names
from agent.cli.main import verbs
from agent.cli.parser import VerbParser

FILES, FOLDERS = "@files", "@folders"
"""In the place of a candidate: the shell completes paths, as only it can."""
_PATHS = {"FILE": FILES, "FORMAT[=FILE]": FILES, "PATH": FILES, "DIR": FOLDERS, "OPENAPI": FILES}
_OF_KINDS = frozenset({"Kind", "Kind[/name]", "Kind/name", "SELECTOR", "ID|Kind/name", "WORD"})


class Candidate(NamedTuple):
    """A word, and what it means; empty where that is plain."""

    word: str
    meaning: str = ""


def candidates(words: Sequence[str], names: Names) -> list[Candidate]:
    """What the last of ``words``, which may be empty, could become; the others are taken as they are.

    ``words`` stand behind the name of the program.
    """
    *before, begun = words or [""]
    if not before or before == ["help"]:
        return [each for each in _verbs(help_too=not before) if each.word.startswith(begun)]
    if before[0] not in verbs():
        return []
    return list(_of_verb(before, begun, names))


def _verbs(*, help_too: bool) -> Iterator[Candidate]:
    for name, module in verbs().items():
        yield Candidate(name, import_module(module).SUMMARY)
    if help_too:
        yield Candidate("help", "what a verb does, and its options")


def _of_verb(before: Sequence[str], begun: str, names: Names) -> Iterator[Candidate]:
    verb = import_module(verbs()[before[0]])
    parser = VerbParser(verb.NAME, verb.SUMMARY, "")
    verb.configure(parser)
    flags = {flag: action for action in parser._actions for flag in action.option_strings}
    previous = flags.get(before[-1]) if "--" not in before else None
    if previous is not None and previous.nargs != 0:
        yield from _values(previous, "", begun, names)
    elif begun.startswith("--") and "=" in begun:
        flag, _, value = begun.partition("=")
        if flag in flags and flags[flag].nargs != 0:
            yield from _values(flags[flag], f"{flag}=", value, names)
    elif begun.startswith("-") and "--" not in before:
        yield from _options(parser, before, begun)
    else:
        action = _positional(parser, before[1:], flags)
        if action is not None:
            yield from _values(action, "", begun, names)


def _options(parser: ArgumentParser, before: Sequence[str], begun: str) -> Iterator[Candidate]:
    for action in parser._actions:
        is_given = any(word.partition("=")[0] in action.option_strings for word in before)
        if action.option_strings and (not is_given or "append" in type(action).__name__.lower()):
            flag = next((each for each in action.option_strings if each.startswith("--")), action.option_strings[0])
            shown = flag if flag.startswith(begun) else next((f for f in action.option_strings if f == begun), None)
            if shown is not None:
                yield Candidate(shown, _first_phrase(action.help or ""))


def _positional(parser: ArgumentParser, words: Sequence[str], flags: dict[str, Action]) -> Action | None:
    """The argument without a flag that is due; the last one may take several."""
    given, skip = 0, False
    for word in words:
        if skip:
            skip = False
        elif word in flags:
            skip = flags[word].nargs != 0
        elif not word.startswith("-"):
            given += 1
    expected = [action for action in parser._actions if not action.option_strings]
    if given < len(expected):
        return expected[given]
    return expected[-1] if expected and expected[-1].nargs in ("*", "+") else None


def _values(action: Action, prefix: str, begun: str, names: Names) -> Iterator[Candidate]:
    found = list(_words(action, begun, names))
    yield from (Candidate(prefix + each.word, each.meaning) for each in found if each.word.startswith(begun))
    path = _PATHS.get(str(action.metavar))
    if path is not None and (action.metavar != "FORMAT[=FILE]" or "=" in begun):
        yield Candidate(path)


def _words(action: Action, begun: str, names: Names) -> Iterator[Candidate]:
    metavar = str(action.metavar)
    if action.choices is not None:
        yield from map(Candidate, action.choices)
    elif metavar.startswith("FORMAT"):
        for word in (action.help or "").partition(";")[0].split(", "):
            yield Candidate(word)
    elif metavar in _OF_KINDS:
        yield from _resources(metavar, begun, names)
    elif metavar in ("PLATFORM", "NAME") and action.dest in ("what", "platform"):
        yield from map(Candidate, names.platforms())
    elif metavar == "NAME" and action.dest == "target":
        yield from map(Candidate, names.targets())


def _resources(metavar: str, begun: str, names: Names) -> Iterator[Candidate]:
    """Kinds, and behind a slash what there is of one."""
    sign = "!" if metavar == "SELECTOR" and begun.startswith("!") else ""
    kind, slash, _ = begun.removeprefix(sign).partition("/")
    if slash:
        yield from (Candidate(f"{sign}{path}") for path in names.resources(kind, begun.removeprefix(sign)))
        return
    for name in names.kinds():
        if metavar not in ("Kind/name", "ID|Kind/name"):
            yield Candidate(sign + name)
        if metavar != "WORD" and names.has_resources(name):
            yield Candidate(f"{sign}{name}/")
    if metavar == "SELECTOR":
        yield Candidate(f"{sign}path:", "files, by a pattern")
    if metavar == "WORD":
        yield from map(Candidate, (*names.platforms(), *names.codes()))


def _first_phrase(text: str) -> str:
    return text.partition(";")[0].partition(" (default")[0]
