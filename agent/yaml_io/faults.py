"""The sentences for what is wrong inside a document: scalars, keys, tags, aliases, budgets. Pure: mark in, Problem out.

A *mark* is libyaml's 0-based position. Called by the builder; syntax faults are worded by ``syntax.py``.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Protocol

from agent.errors import Problem, Where
from agent.yaml_io.budget import Budget
from agent.yaml_io.scalars import Mark, readings, resolve


class Position(Protocol):
    """What libyaml says of a place."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


def at(mark: Position) -> Where:
    """The 1-based place of a mark; the caller of ``load`` fills the path."""
    return Where("", mark.line + 1, mark.column + 1)


def shown(text: str) -> str:
    """At most 60 characters of a text, for a sentence, with escapes for what cannot be seen."""
    short = text if len(text) <= 60 else text[:57] + "..."
    return short if short.isprintable() else json.dumps(short)[1:-1]


def ambiguous(mark: Position, text: str) -> Problem:
    """A scalar that YAML 1.1 and 1.2 read differently was kept as text."""
    others = " or ".join(readings(text))
    fix = f'write "{shown(text)}" for the text' + (f", {others} for the value" if others else "")
    what = f"`{shown(text)}` means different things in YAML 1.1 and 1.2; it is kept as text"
    return Problem("yaml-ambiguous", what, at(mark), got=shown(text), fix=fix, severity="warning")


def number(mark: Position, text: str, reason: Mark, budget: Budget) -> Problem:
    """A number that JSON or a double cannot hold."""
    what = {
        Mark.NOT_FINITE: f"`{text}` is not a number that JSON can hold",
        Mark.TOO_LONG: f"a number of {len(text):,} characters; at most {budget.number} are read",
    }.get(reason, f"`{shown(text)}` is beyond the range of a double")
    return Problem("yaml-number", what, at(mark), got=shown(text), fix="if it is text, put it in quotes")


def key_of_other_type(mark: Position, text: str) -> Problem:
    """A key that YAML reads as a number, a truth value or null."""
    value = resolve(text, len(text) + 1)
    kind = "null" if value is None else "a truth value" if isinstance(value, bool) else "a number"
    what = f"the key `{shown(text)}` is {kind}; keys are text" if text else "a key is missing before `:`"
    return Problem(
        "yaml-key-type", what, at(mark), got=shown(text) or None, fix=f'write "{shown(text)}"' if text else None
    )


def key_of_many(mark: Position, kind: str) -> Problem:
    """A key that is a list, a mapping or an alias."""
    return Problem("yaml-key-type", f"a key is {kind}; keys are text", at(mark))


def template(where: Where) -> Problem:
    """Braces of a template engine that nobody has run."""
    what = "this looks like a template that was not rendered"
    return Problem("yaml-template", what, where, fix="render it first; if the braces are text, put the value in quotes")


def merge_key(mark: Position) -> Problem:
    """``<<`` hides where a value comes from, and can expand without bound."""
    fix = "write the keys out; aliases of whole values (`key: *name`) are read"
    return Problem("yaml-merge-key", "the merge key `<<` is not read", at(mark), got="<<", fix=fix)


def tag(mark: Position, name: str, text: str | None = None) -> Problem:
    """Any tag but those of the JSON types, or one that does not fit its value."""
    short = name.replace("tag:yaml.org,2002:", "!!")
    if text is None:
        what = f"the tag `{shown(short)}` is not read: values are of the JSON types only"
        return Problem("yaml-tag", what, at(mark), got=shown(short), fix="remove the tag")
    return Problem("yaml-tag", f"`{shown(text)}` is not what its tag `{short}` says", at(mark), got=shown(text))


def alias(mark: Position, name: str) -> Problem:
    """An alias without an anchor before it."""
    what = f"the alias `*{shown(name)}` has no anchor `&{shown(name)}` before it"
    return Problem("yaml-alias", what, at(mark), got=f"*{shown(name)}", fix=f'if it is text, write "*{shown(name)}"')


def recursive(mark: Position, name: str) -> Problem:
    """An alias inside its own anchor."""
    return Problem("yaml-recursive", f"the alias `*{shown(name)}` stands inside what it names", at(mark))


def invisible_indent(where: Where) -> Problem:
    """A no-break space where the eye sees indentation."""
    what = f"non-breaking space at {where.line}:{where.column}"
    return Problem("yaml-syntax", what, where, got="U+00A0", fix="replace it by an ordinary space")


def tab(where: Where) -> Problem:
    """A tab where YAML, or the commonest reader of it, wants spaces."""
    return Problem("yaml-tab", "a tab where YAML wants spaces", where, got="\\t", fix="use spaces")


def without_value(problem: Problem) -> Problem:
    """The same problem without the text that it quotes."""
    what = {
        "yaml-ambiguous": "the value means different things in YAML 1.1 and 1.2; it is kept as text",
        "yaml-alias": "an alias without an anchor before it",
        "yaml-tag": "a tag that is not read: values are of the JSON types only",
    }.get(problem.code, "the value is not a number that JSON can hold")
    return replace(problem, what=what, got=None, fix="if it is text, put it in quotes")


def depth(mark: Position, budget: Budget) -> Problem:
    """Nesting beyond the budget."""
    return Problem("yaml-depth", f"nested more than {budget.depth} levels deep", at(mark))


def nodes(mark: Position, budget: Budget) -> Problem:
    """More values than the budget, without aliases."""
    return Problem("yaml-nodes", f"more than {budget.nodes:,} values", at(mark), fix="split the file")


def expansion(mark: Position, budget: Budget) -> Problem:
    """More values than the budget once aliases are expanded."""
    what = f"more than {budget.nodes:,} values once its aliases are written out"
    return Problem("yaml-expansion", what, at(mark), fix="use fewer aliases")


def aliases(mark: Position, budget: Budget) -> Problem:
    """More aliases than the budget."""
    return Problem("yaml-expansion", f"more than {budget.aliases:,} aliases", at(mark), fix="use fewer aliases")


def documents(mark: Position, budget: Budget) -> Problem:
    """More documents than the budget."""
    fix = "split the file" if budget.documents > 1 else "keep one document"
    return Problem("yaml-documents", f"more than {budget.documents:,} document(s) in one file", at(mark), fix=fix)


def scalar(mark: Position, budget: Budget) -> Problem:
    """One text longer than the budget."""
    return Problem("yaml-scalar", f"one text of more than {budget.scalar:,} characters", at(mark))


def duplicate(first: Position, second: Position, name: str) -> Problem:
    """The same key twice in one mapping; both places are named."""
    what = f"the key `{shown(name)}` stands twice in one mapping; the first is at line {first.line + 1}"
    fix = "keep one of the two"
    return Problem("yaml-duplicate-key", what, at(second), got=shown(name), fix=fix, also=(at(first),))


def encrypted(what: str, where: Where, tool: str) -> Problem:
    """A document, or values of it, that ``tool`` has encrypted."""
    kept = {"sops": "{sops: {file: PATH, key: KEY}}", "age": "{age: {file: PATH, identity: PATH}}"}.get(tool)
    fix = "write the manifest in clear, and {secretRef: NAME} for what is secret in it"
    if kept is not None:
        fix += f"; the target's secrets may hold NAME: {kept}"
    return Problem("encrypted", what, where, why="manifests are not decrypted, and nothing encrypted is sent", fix=fix)
