"""The agent itself: one pass, or its loop. Used by the verb ``run``."""

from __future__ import annotations

import random
from collections.abc import Callable

from agent.cli.exits import status_of_reports
from agent.cli.opening import open_targets
from agent.cli.options import Options
from agent.clock import SystemClock
from agent.config.model import Config
from agent.reconcile.loop import Loop
from agent.reconcile.neighbours import in_turn
from agent.reconcile.tenure import Tenure
from agent.source import open_wakeups
from agent.viewing.tail import Tail


async def run_agent(config: Config, options: Options, load: Callable[[], Config], tail: Tail) -> int:
    """``run``: the loop, until SIGTERM (143) or SIGINT (130); one pass and its exit status for ``--once``.

    ``load`` reads the configuration anew, after SIGHUP or when the file has changed. ``tail`` is given the lines of the
    log, for the page.
    """
    async with open_targets(config, options, writable=True, in_turns=not options.once) as opened:
        clock = SystemClock()
        wakeups = open_wakeups(
            config.source, clock=clock, random=random.SystemRandom(), files=[config.path, *config.policy_files]
        )
        targets = [target for target, _ in in_turn(opened.targets, None)]
        tenure = Tenure(opened.store, targets) if opened.store.sharing is not None else None
        loop = Loop(targets, wakeups, config.source.interval_seconds, tenure=tenure)
        if options.once:
            return status_of_reports(await loop.run_once())
        from agent.cli.at_work import at_work  # what one pass has no use for: pages, receivers, notifications

        return await at_work(config, options, opened, loop, load, tail)
