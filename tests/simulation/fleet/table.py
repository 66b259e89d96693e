"""What came of a fleet, for people: one column for each number of replicas."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from agent.store.cache import FILES_MAX
from agent.store.history import HISTORY_MAX
from agent.store.journal import CLOSED_MAX
from tests.simulation.fleet.costs import BASE_BYTES, Costs
from tests.simulation.fleet.told import Buckets, Told

LATENESS = 1800.0
"""A pass that begins so long after it was due is told apart: somebody would notice."""
_KEPT = {"checked": FILES_MAX, "journal": CLOSED_MAX, "pass": HISTORY_MAX}
_STORE_CAPACITY = 2000.0  # small transactions a second: what one ordinary server is trusted with
_FETCH_CAPACITY = 20.0  # a second: what one git server is asked without anybody complaining


def store_bytes(told: Told, costs: Costs, database: str) -> float:
    """What is kept, by the limits of the store, at the weight of each row."""
    weights = costs.weights.get(database, {})
    rows = {name: min(count, _KEPT.get(name, count)) for name, count in told.rows.items()}
    return sum(count * weights.get(name, 0.0) for name, count in rows.items())


def memory_of(told: Told, costs: Costs) -> float:
    return BASE_BYTES + told.world.plan.targets * costs.target_bytes + told.known * costs.resource_bytes


def shares(told: Told, costs: Costs) -> Mapping[str, float]:
    """How much of each thing is used, of what there is; what is above one, or next to it, is where it bends."""
    return {
        "commits that are about others": told.walked,
        "turns of a replica": told.busy - told.walked,
        "processor of a replica": told.cpu,
        "git fetches": told.fetches / told.seconds / _FETCH_CAPACITY,
        "store": told.commits / told.seconds / _STORE_CAPACITY,
        "calls of a platform": told.stretched / told.world.plan.targets,
    }


def lines_of(every: Sequence[Told], costs: Costs) -> list[str]:
    plan = every[0].world.plan
    rows: list[tuple[str, Callable[[Told], str]]] = [
        ("replicas", lambda told: str(told.replicas)),
        ("calls, thousands", lambda told: _thousands(told.calls.total())),
        *((f"  {name}", _calls(name)) for name in ("list", "sweep", "look", "write", "confirm")),
        ("share of budgets p50 / p95 / max", lambda told: _three([_at(told.used, share) for share in (0.5, 0.95, 1)])),
        ("targets with a goal beyond their budget", lambda told: str(told.stretched)),
        ("age of knowledge p50 / p95 / max", lambda told: _ages(told.ages)),
        ("commit to live p50 / p95 / max", lambda told: _ages(told.live)),
        ("  of the mass edit", lambda told: _ages(told.mass)),
        ("  not live in the end", lambda told: str(told.waiting)),
        ("turns, thousands", lambda told: _thousands(told.turns.total() - told.turns["bystander"])),
        ("  for commits about others", lambda told: _thousands(told.turns["bystander"])),
        ("  news passed on, thousands", lambda told: _thousands(told.passed_on)),
        ("    that hastened a turn", lambda told: _thousands(told.hastened)),
        ("  taken over from another", lambda told: _thousands(told.turns["takeover"])),
        ("  begun late p50 / p95 / max", lambda told: _ages(told.late)),
        ("git fetches a second", lambda told: f"{told.fetches / told.seconds:.1f}"),
        ("memory of a replica", lambda told: _size(memory_of(told, costs))),
        ("processor of a replica", lambda told: f"{told.cpu:.0%}"),
        ("  asking which targets wait", lambda told: f"{told.looked:.0%}"),
        ("at a target, of its time", lambda told: f"{told.busy:.0%}"),
        ("  passing others for commits", lambda told: f"{told.walked:.0%}"),
        ("store transactions a second", lambda told: f"{told.commits / told.seconds:.0f}"),
        ("store rows, millions", lambda told: f"{told.rows.total() / 1e6:.2f}"),
        *((f"  bytes in {name}", _store(name, costs)) for name in costs.weights),
        ("targets of the killed replica", lambda told: str(told.victims)),
        ("  late for it p50 / p95 / max", lambda told: _ages(told.takeover)),
        ("  held again after p50 / p95 / max", lambda told: _ages(told.held_again)),
        ("  not held again", lambda told: str(told.homeless)),
        ("bends first", lambda told: _first(shares(told, costs))),
    ]
    table = [[name, *(cell(told) for told in every)] for name, cell in rows]
    widths = [max(len(row[place]) for row in table) for place in range(len(table[0]))]
    lines = [
        f"{plan.resources} resources over {plan.targets} targets, {plan.days:g} days, seed {plan.seed}; lists every "
        f"{plan.interval / 60:g} min, reads every {plan.goal / 3600:g} h{', with the next steps' if plan.ahead else ''}"
    ]
    lines += [
        "  ".join(cell.ljust(width) if place == 0 else cell.rjust(width) for place, (cell, width) in enumerate(cells))
        for row in table
        for cells in [list(zip(row, widths, strict=True))]
    ]
    lines += [f"VIOLATION {each}" for told in every for each in told.violations[:10]]
    lines.append(f"{sum(len(told.violations) for told in every)} violations, {sum(told.wall for told in every):.0f} s")
    return lines


def _calls(name: str) -> Callable[[Told], str]:
    return lambda told: _thousands(told.calls[name])


def _thousands(number: float) -> str:
    return f"{number / 1e3:.0f}" if number >= 10_000 else f"{number / 1e3:.1f}"


def _store(name: str, costs: Costs) -> Callable[[Told], str]:
    return lambda told: _size(store_bytes(told, costs, name))


def _first(used: Mapping[str, float]) -> str:
    name = max(used, key=used.__getitem__)
    return f"{name} {used[name]:.0%}"


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def _three(values: Sequence[float]) -> str:
    return " / ".join(f"{value:.0%}" for value in values)


def _ages(found: Buckets) -> str:
    return " / ".join(_time(value) for value in (found.at(0.5), found.at(0.95), found.most)) if found.number else "-"


def _time(seconds: float) -> str:
    for size, unit in ((86_400.0, "d"), (3600.0, "h"), (60.0, "m")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f}{unit}"
    return f"{seconds:.1f}s"


def _size(size: float) -> str:
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
