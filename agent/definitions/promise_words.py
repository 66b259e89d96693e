"""What kinds cannot promise, in sentences for people; with the guesses, the price and the shortest interval.

Called by ``explain promises``, by ``lint-platform`` and for ``agent/docs/reference/promises.md``. ``promises`` derives,
this module only words: whatever is not said here, the kind promises. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.definitions.platform import Kind, Platform
from agent.definitions.price import RESERVE, budget_words, calls_for, seconds_words, shortest_seconds
from agent.definitions.promises import guesses, has_spec, promises
from agent.model.explanation import Explanation, Part

USUAL = (
    "its content is compared with git, and what drifted is seen",
    "an object that is there already is recognised, and can be taken over",
    "a create whose answer was lost is settled by looking",
    "strays, which nobody declares, are found",
    "what leaves git is deleted, where the target says `prune: true`",
    "what changes in git is changed in place",
)
_SIZES = (10, 100, 1000)


def cannot(kind: Kind) -> tuple[str, ...]:
    """What a managed kind does not promise, one sentence each; empty when it promises everything."""
    found = (*_of_drift(kind), *_of_creation(kind), *_of_strays(kind), *_of_deletion(kind), *_of_changes(kind))
    return tuple(found)


def limits(platform: Platform) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The managed kinds with what they cannot promise; kinds of which the same is said stand together."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for kind in platform.kinds.values():
        if kind.managed:
            groups.setdefault(cannot(kind), []).append(kind.name)
    return [(tuple(names), said) for said, names in groups.items()]


def guesses_by_reason(platform: Platform) -> dict[str, list[str]]:
    """Why something is unverified, and all that is so for this reason, as a target's ``confirmed`` names it."""
    found: dict[str, list[str]] = {}
    for kind in platform.kinds.values():
        for name, reason in guesses(kind):
            found.setdefault(reason, []).append(name)
    return found


def observed(platform: Platform) -> list[str]:
    """The kinds that are seen and not written."""
    return [kind.name for kind in platform.kinds.values() if not kind.managed]


def prices(platform: Platform) -> list[tuple[tuple[str, ...], str, tuple[str, ...]]]:
    """Managed kinds, the calls of one look at N objects, and the shortest time between two looks at 10, 100, 1,000."""
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for kind in platform.kinds.values():
        if kind.managed:
            calls = promises(kind).calls
            times = (shortest_seconds(platform.budget, calls_for(kind, size)) for size in _SIZES)
            groups.setdefault((calls, tuple(seconds_words(time) for time in times)), []).append(kind.name)
    return [(tuple(names), calls, times) for (calls, times), names in groups.items()]


def about_promises(platform: Platform) -> Explanation:
    """The promises of a platform."""
    parts = [Part("A kind promises all of this, but for what stands below its name:", items=USUAL)]
    for names, said in limits(platform):
        parts.append(Part(", ".join(names), items=said or ("nothing is missing",)))
    if seen := observed(platform):
        parts.append(Part(text=(f"Observed only, no manifest may ask for one: {', '.join(seen)}",)))
    unsure = guesses_by_reason(platform)
    if unsure:
        title = "Guesses, planned and not applied until `confirmed` of the target names them"
        parts.append(Part(title, items=tuple(f"{', '.join(names)}: {reason}" for reason, names in unsure.items())))
    parts.append(_cost_part(platform, _SIZES))
    told = {
        "cannot": {kind.name: list(cannot(kind)) for kind in platform.kinds.values() if kind.managed},
        "observed": observed(platform),
        "unverified": unsure,
    }
    word = f"promises {platform.name}"
    return Explanation("promises", word, platform.api_version, parts=tuple(parts), platform=platform.name, told=told)


def about_cost(platform: Platform, objects: int | None = None) -> Explanation:
    """What a look at all objects costs: at ``objects`` of each kind, or at 10, 100 and 1,000."""
    sizes = _SIZES if objects is None else (objects,)
    told = {
        "budget": [{"requests": each.requests, "seconds": each.seconds} for each in platform.budget.windows],
        "reserve": RESERVE,
        "kinds": {
            kind.name: {
                "calls_for_n": promises(kind).calls,
                "looks": [_look(platform, kind, size) for size in sizes],
            }
            for kind in platform.kinds.values()
            if kind.managed
        },
    }
    note = (
        "Of one parent, with full pages and nothing changed since the last look; every kind alone. Where a revision or "
        "a date in the list tells what changed, only that is read again. `datakeel diff` counts what a plan costs.",
    )
    parts = (_cost_part(platform, sizes), Part(note=note))
    word = f"cost {platform.name}"
    return Explanation("cost", word, platform.api_version, parts=parts, platform=platform.name, told=told)


def _look(platform: Platform, kind: Kind, size: int) -> dict[str, float]:
    calls = calls_for(kind, size)
    return {"objects": size, "calls": calls, "shortest_seconds": shortest_seconds(platform.budget, calls)}


def _cost_part(platform: Platform, sizes: Sequence[int]) -> Part:
    """Calls and the shortest time between two looks; the number of calls too where one size is asked for."""
    title = f"Price, and the shortest time between two looks at all objects ({_pace(platform)})"
    if len(sizes) > 1:
        columns = ("calls for N objects", *(f"N = {size:,}" for size in sizes), "kinds")
        rows = [(calls, *times, ", ".join(names)) for names, calls, times in prices(platform)]
        return Part(title, columns=columns, rows=tuple(rows))
    groups: dict[tuple[str, str, str], list[str]] = {}
    for kind in platform.kinds.values():
        if kind.managed:
            look = _look(platform, kind, sizes[0])
            every = seconds_words(look["shortest_seconds"]) if platform.budget.windows else "any"
            groups.setdefault((f"{look['calls']:,}", every, promises(kind).calls), []).append(kind.name)
    columns = (f"calls for {sizes[0]:,}", "every", "which are", "kinds")
    return Part(title, columns=columns, rows=tuple((*cells, ", ".join(names)) for cells, names in groups.items()))


def as_markdown(platform: Platform) -> str:
    """The same as a part of a page."""
    lines = [
        f"- **{', '.join(names)}**: {'; '.join(said) if said else 'nothing is missing'}."
        for names, said in limits(platform)
    ]
    if seen := observed(platform):
        lines.append(f"- Observed only, no manifest may ask for one: {', '.join(seen)}.")
    if unsure := guesses_by_reason(platform):
        lines.append("- Guesses, planned and not applied until `confirmed` of the target names them:")
        lines += [f"  - {', '.join(f'`{name}`' for name in names)}: {reason}" for reason, names in unsure.items()]
    sizes = " | ".join(f"N = {size:,}" for size in _SIZES)
    lines += ["", f"Shortest time between two looks, within {_pace(platform)}:", ""]
    lines += [f"| kind | calls for N objects | {sizes} |", f"| --- | --- |{' --- |' * len(_SIZES)}"]
    lines += [f"| {', '.join(names)} | {calls} | {' | '.join(times)} |" for names, calls, times in prices(platform)]
    return "\n".join(lines) + "\n"


def _pace(platform: Platform) -> str:
    return f"{budget_words(platform.budget)}, of which people keep {RESERVE:.0%}".replace("%", " %")


def _of_drift(kind: Kind) -> list[str]:
    drift = promises(kind).drift
    if drift == "state, content by mark":
        why = "a run cannot be read back; a mark tells what it was made from"
        return [f"drift of its content is not seen, because {why}"]
    if drift != "existence":
        return []
    if not has_spec(kind):
        return ["there is nothing in it to compare, only whether it is there"]
    return ["drift is not seen, because its list is a summary and nothing reads a single one"]


def _of_creation(kind: Kind) -> list[str]:
    made, said = promises(kind), []
    if made.adopts_by == "nothing":
        why = "nothing finds it by its name" if kind.unique else "its name identifies nothing"
        said.append(f"one that is there already is never taken over, because {why}")
    if made.safe_create == "asks when unknown":
        said.append("a lost create asks a person")
    elif made.safe_create != "yes":
        said.append("a lost create asks a person once the list no longer shows it")
    return said


def _of_strays(kind: Kind) -> list[str]:
    if promises(kind).strays == "yes":
        return []
    why = "nothing lists them" if kind.list is None else "its list is cut"
    return [f"strays are not found, because {why}"]


def _of_deletion(kind: Kind) -> list[str]:
    if kind.delete is None:
        return ["is never deleted: one that leaves git is reported as an orphan"]
    said = [f"deletes only by an approved plan: {kind.delete.careful}"] if kind.delete.careful else []
    if kind.gone is not None:
        said.append("a deleted one is still there for a while, and its name is taken until then")
    return said


def _of_changes(kind: Kind) -> list[str]:
    if not has_spec(kind):
        return []
    immutable = ", ".join(f"`{rule.pointer}`" for rule in kind.fields if rule.immutable)
    in_place = kind.update is not None or kind.apply is not None
    if not in_place and kind.replace == "never":
        return ["a change in git is reported and not made, because nothing updates it"]
    what = "any change" if not in_place else f"a change of {immutable}"
    if in_place and not immutable:
        return []
    if kind.replace == "never":
        return [f"{what} is reported and not made"]
    return [f"{what} deletes it and creates it anew, where the manifest allows it"]
