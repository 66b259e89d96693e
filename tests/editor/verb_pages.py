"""``reference/verbs.md``: every verb with its arguments, options, exit statuses and example, as it declares them."""

from __future__ import annotations

from argparse import Action
from collections.abc import Iterable, Iterator
from importlib import import_module
from types import ModuleType

from agent.cli.main import GROUPS, verbs
from agent.cli.parser import VerbParser, exits_of
from agent.report.escape import clean

_COMMON = "common options"
_HEAD = """# Verbs

Every verb of the command line; `datakeel help VERB` tells the same. Generated from the program by
`python -m tests.editor.generated`. What an exit status means everywhere stands in
[operations](../how-to/operations.md); `datakeel completion SHELL` makes a shell
[complete](../how-to/editor.md#in-the-shell) all of this.
"""


def page() -> str:
    """The whole page."""
    modules = {name: import_module(module) for name, module in verbs().items()}
    parts = [_HEAD, _common(modules.values())]
    for group in GROUPS:
        mine = [verb for verb in modules.values() if group == verb.GROUP]
        mine.sort(key=lambda each: (each.RANK, each.NAME))
        parts += [f"## {group}\n", *map(_verb, mine)]
    return "\n".join(parts)


def _parser(verb: ModuleType) -> VerbParser:
    parser = VerbParser(verb.NAME, verb.SUMMARY, "")
    verb.configure(parser)
    return parser


def _shared(verb: ModuleType) -> list[Action]:
    groups = [group for group in _parser(verb)._action_groups if group.title == _COMMON]
    return [action for group in groups for action in group._group_actions]


def _common(modules: Iterable[ModuleType]) -> str:
    """Once, each with what most verbs say of it."""
    found: dict[str, Action] = {}
    for action in (action for verb in modules for action in _shared(verb)):
        found.setdefault(action.option_strings[-1], action)
    rows = [_row(found[flag]) for flag in found if flag != "--output"]
    formats = (
        "`-o FORMAT[=FILE]`, `--output`",
        "how the result is told; repeatable, all but one with a file",
    )
    return "## Common options\n\n" + _table([*rows, formats], "option")


def _verb(verb: ModuleType) -> str:
    parser = _parser(verb)
    shared = {id(action): action for action in _shared(verb)}
    common = {action.option_strings[-1] for action in shared.values()}
    own = [each for each in parser._actions if each.option_strings[-1:] != ["--help"]]
    own = [each for each in own if each.option_strings[-1:] == [] or each.option_strings[-1] not in common]
    lines = [f"### {verb.NAME}\n", f"{verb.SUMMARY[:1].upper()}{_escaped(verb.SUMMARY[1:])}.\n"]
    positional = [_row(action) for action in own if not action.option_strings]
    options = [_row(action) for action in own if action.option_strings]
    lines += [_table(positional, "argument")] if positional else []
    lines += [_table(options, "option")] if options else []
    if common:
        lines.append("Common: " + ", ".join(f"`{flag}`" for flag in sorted(common)) + _formats(shared.values()) + ".\n")
    lines.append(f"Exit status: {_escaped(exits_of(verb.run.__doc__ or ''))}\n")
    lines.append(f"```sh\n{verb.EXAMPLE}\n```\n")
    return "\n".join(lines)


def _formats(shared: Iterable[Action]) -> str:
    output = next((each for each in shared if each.dest == "output"), None)
    return f"; formats: {(output.help or '').partition(';')[0]}" if output is not None else ""


def _table(rows: Iterable[tuple[str, str]], title: str) -> str:
    return f"| {title} | is |\n| --- | --- |\n" + "".join(f"| {word} | {told} |\n" for word, told in rows)


def _row(action: Action) -> tuple[str, str]:
    return ", ".join(_words(action)), _escaped(clean(action.help or "", 1000))


def _words(action: Action) -> Iterator[str]:
    value = action.metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper())
    if not action.option_strings:
        yield f"`{value}`".replace("|", "\\|")
    for flag in action.option_strings:
        yield f"`{flag}`" if action.nargs == 0 else f"`{flag} {value}`".replace("|", "\\|")


def _escaped(text: str) -> str:
    """In a cell of a table, outside of code."""
    parts = text.replace("``", "`").replace("%%", "%").split("`")
    return "`".join(
        part.replace("|", "\\|") if index % 2 else part.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
        for index, part in enumerate(parts)
    )
