"""One budget for each bucket of the platform, however many targets share its credential.

Called by the wiring, once a target. A bucket is named by a keyed hash: the name tells two credentials apart and tells
nothing about either.
"""

from __future__ import annotations

import hashlib
import random as random_module

from agent.clock import Clock
from agent.definitions.platform import Platform, Window
from agent.live.account import Ledger
from agent.live.budget import Budget
from agent.live.connection import Connection, parse_server
from agent.model.canonical import canonical


class BudgetRegistry:
    """``key`` is the installation key; without one, names of buckets could be compared across installations.

    ``gives_way``: of a process that only looks (:class:`Budget`).
    """

    def __init__(
        self,
        clock: Clock,
        ledger: Ledger | None,
        random: random_module.Random,
        key: bytes = b"",
        *,
        gives_way: bool = False,
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._random = random
        self._key = key
        self._gives_way = gives_way
        self._budgets: dict[str, Budget] = {}

    def budget_for(
        self,
        platform: Platform,
        connection: Connection,
        reserve: float,
        windows: tuple[Window, ...] | None = None,
    ) -> Budget:
        """The bucket's budget; ``windows`` overrides the definition's. Raises ConfigError for a missing credential."""
        name = fingerprint(platform, connection, self._key)
        wanted = platform.budget.windows if windows is None else windows
        budget = self._budgets.get(name)
        if budget is None:
            budget = Budget(
                wanted,
                reserve,
                self._clock,
                self._ledger,
                name,
                rule=platform.budget,
                random=self._random,
                late_seconds=connection.deadline_seconds,
                gives_way=self._gives_way,
            )
            self._budgets[name] = budget
        else:
            budget.tighten(wanted, reserve)
            budget.allow_late(connection.deadline_seconds)
        return budget

    def close(self) -> None:
        for budget in self._budgets.values():
            budget.close()


def fingerprint(platform: Platform, connection: Connection, key: bytes = b"") -> str:
    """``acme-1f0c…``: equal for targets that drain one bucket, by what the definition says is shared."""
    origin = parse_server(connection.server or platform.server or "", allow_http=True).text
    shared: list[object] = [origin, platform.budget.shared_by]
    if platform.budget.shared_by == "credential":
        shared.append(sorted((name, source().reveal()) for name, source in connection.credentials.items()))
    elif platform.budget.shared_by == "organization":
        shared.append(canonical(dict(connection.settings)).decode())
    name = hashlib.blake2b(canonical(shared), key=key[:64], digest_size=6).hexdigest()
    return f"{platform.name}-{name}"
