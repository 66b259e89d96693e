"""What a kind promises, derived from its operations: drift, adoption, safe creation, strays, pruning, price.

Called by ``explain promises`` and for the READMEs of ``schemas/``. Nothing here is declared: change the operations of a
kind and its promises change. What is unverified promises this once the target has confirmed it. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.definitions.platform import Kind, Operation, Platform

OPERATIONS = ("list", "get", "create", "apply", "update", "delete")


@dataclass(frozen=True, slots=True)
class Promises:
    """The promises of a managed kind, each as a person reads it; ``guesses`` are its unverified parts with reasons."""

    kind: str
    drift: str
    adopts_by: str
    safe_create: str
    strays: str
    prunes: str
    replaces: str
    calls: str
    guesses: tuple[tuple[str, str], ...]


def promises(kind: Kind) -> Promises:
    """The promises of one kind."""
    return Promises(
        kind=kind.name,
        drift=_drift(kind),
        adopts_by=", ".join(_ways_to_adopt(kind)) or "nothing",
        safe_create=_safe_create(kind),
        strays="yes" if kind.list is not None and kind.list.complete else "no",
        prunes=_prunes(kind),
        replaces=_replaces(kind),
        calls=_calls(kind),
        guesses=guesses(kind),
    )


def guesses(kind: Kind) -> tuple[tuple[str, str], ...]:
    """What of a kind is unverified, as the target's ``confirmed`` names it, and why."""
    found = [(kind.name, kind.unverified)] if kind.unverified else []
    for name in OPERATIONS:
        operation: Operation | None = getattr(kind, name)
        if operation is not None and operation.unverified:
            found.append((f"{kind.name}.{name}", operation.unverified))
    found += [(f"{kind.name}.{a.name}", a.unverified) for a in kind.actions.values() if a.unverified]
    return tuple(found)


def promises_table(platform: Platform) -> str:
    """All managed kinds as a Markdown table; kinds that promise the same share a row. Then what is only observed."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for kind in platform.kinds.values():
        if kind.managed:
            made = promises(kind)
            cells = (made.drift, made.adopts_by, made.safe_create, made.strays, made.prunes, made.replaces, made.calls)
            rows.setdefault(cells, []).append(kind.name)
    lines = [_row(_HEADINGS), _row(["---"] * len(_HEADINGS))]
    lines += [_row([", ".join(names), *cells]) for cells, names in rows.items()]
    observed = [kind.name for kind in platform.kinds.values() if not kind.managed]
    if observed:
        lines += ["", f"Observed only: {', '.join(observed)}."]
    unverified = [guess for kind in platform.kinds.values() for guess in guesses(kind)]
    if unverified:
        lines += ["", "Unverified, hence planned but not applied until the target's `confirmed` names it:", ""]
        lines += [f"- `{name}`: {reason}" for name, reason in unverified]
    return "\n".join(lines) + "\n"


_HEADINGS = (
    *("kind", "drift", "adopts by", "safe create", "strays", "prunes", "replaces"),
    "calls a pass for N objects",
)


def _drift(kind: Kind) -> str:
    """A spec can be compared when it is read and when there is anything in it."""
    read = kind.get is not None or (kind.list is not None and kind.list.holds == "full")
    if kind.mark is not None and kind.mark.is_run and not read:
        return "state, content by mark"
    if read and has_spec(kind):
        return "spec, decoded" if any(rule.encode for rule in kind.fields) else "spec"
    return "existence"


def has_spec(kind: Kind) -> bool:
    """Whether a manifest of this kind can say anything besides its name."""
    schema = kind.schema or {}
    return bool(schema.get("properties")) or schema.get("additionalProperties", True) is not False


def _ways_to_adopt(kind: Kind) -> list[str]:
    ways = []
    if kind.unique and _looks_by_key(kind):
        ways.append(kind.key.plain or "name")
    if kind.mark is not None and (kind.list is not None or kind.get is not None):
        ways.append("mark")
    return ways


def _looks_by_key(kind: Kind) -> bool:
    by_name = kind.get is not None and "id" not in kind.get.request.words
    return kind.list is not None or by_name


def _safe_create(kind: Kind) -> str:
    complete = kind.list is not None and kind.list.complete
    by_name = kind.get is not None and "id" not in kind.get.request.words
    if kind.apply is not None or (kind.unique and (complete or by_name)):
        return "yes"
    if kind.mark is not None and kind.list is not None:
        return "yes" if complete else "while listed, else asks"
    if kind.create is not None and kind.create.idempotency:
        return "yes"
    return "asks when unknown"


def _prunes(kind: Kind) -> str:
    if kind.delete is None:
        return "orphans are reported"
    words = "by digest" if kind.delete.careful else "yes"
    return f"{words}, delayed" if kind.gone is not None else words


def _replaces(kind: Kind) -> str:
    immutable = [rule.pointer for rule in kind.fields if rule.immutable]
    changes = kind.update is not None or kind.apply is not None
    if kind.replace == "never":
        return f"no: {', '.join(immutable)} cannot change" if immutable else "no need" if changes else "no"
    order = "delete, create" if kind.replace == "deleteFirst" else "create, delete"
    return f"{order} for {', '.join(immutable)}" if immutable and changes else order


def _calls(kind: Kind) -> str:
    """Calls to read all objects once."""
    if kind.list is None:
        return "N"
    price = ("pages" if kind.list.pages.by != "none" else "1") + _per_parent(kind)
    if kind.list.holds == "full" or kind.get is None:
        return price
    return f"{price} + {'those whose revision changed' if kind.list.revision is not None else 'N'}"


def _per_parent(kind: Kind) -> str:
    """A list that names a parent is called for each."""
    assert kind.list is not None
    templates = [*kind.headers.values(), *kind.list.headers.values()]
    named = {*kind.list.request.words, *(word for template in templates for word in template.words)}
    roots = {word.partition(".")[0] for word in named}
    parents = [scope.word for scope in kind.scope if scope.word in roots]
    return f" per {' and '.join(parents)}" if parents else ""


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
