"""An agent that stays: its loop, and what goes on beside it, until a signal. Used by ``running``."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection, Coroutine
from dataclasses import replace

from agent.cli.exits import status_of_reports
from agent.cli.listening import Works, listening
from agent.cli.logging import warn_of_loss
from agent.cli.notifications import Notifications
from agent.cli.opening import Opened
from agent.cli.options import Options
from agent.cli.receiving import other_inboxes
from agent.cli.reloading import Reloading
from agent.cli.signals import Stopping
from agent.cli.spans import tracing_if_asked
from agent.config.model import Config
from agent.model.outcome import Report
from agent.reconcile.asked import Asked
from agent.reconcile.loop import Loop
from agent.reconcile.relay import Relay
from agent.reconcile.target import Target
from agent.reconcile.wish import Wish
from agent.secrets import mask_url
from agent.viewing.tail import Tail


async def at_work(
    config: Config, options: Options, opened: Opened, loop: Loop, load: Callable[[], Config], tail: Tail
) -> int:
    """The loop until a signal, and the exit status; for ``load`` and ``tail`` see ``running``."""
    if opened.store.is_ephemeral:
        warn_of_loss(config.state)
    notifications = Notifications(opened.bench, config.notifications)
    loop.reload = Reloading(config, options, opened.bench, loop, load, notifications)
    clock = opened.bench.clock
    server = replace(
        config.server,
        listen=options.addresses.get("listen", config.server.listen),
        probes=options.addresses.get("probes", config.server.probes),
    )
    asked = Asked(opened.store, clock, loop.ask, lambda report: status_of_reports([report]), lambda: _mine(loop))
    alerts, sender = notifications.made(loop.tally.notifications)

    def after(target: Target, report: Report, wish: Wish) -> None:
        asked.after(target, report, wish)
        alerts.after(target, report, wish)

    loop.after = after
    relay = _relay(loop, opened)
    works = Works(loop, opened.store, opened.targets, clock, tail, mask_url(config.state))
    learn = opened.redactor.add

    def wake(reason: str) -> None:
        loop.wakeups.poke(reason)
        if relay is not None and reason == "event":
            relay.stir()

    async with (
        tracing_if_asked(os.environ),
        listening(server, config.source, works, wake=wake, learn=learn) as loop.inboxes,
    ):
        if relay is None:
            return await _until_stopped(loop, asked.watch(), sender.run())
        loop.inboxes = {**other_inboxes(loop.targets, clock, wake), **loop.inboxes}
        return await _until_stopped(loop, asked.watch(), sender.run(), relay.run())


def _relay(loop: Loop, opened: Opened) -> Relay | None:
    """What passes events on to other agents; None where there are none."""
    tenure = loop.tenure
    if tenure is None:
        return None
    relay = Relay(opened.store, tenure, lambda: loop.inboxes, opened.bench.clock, loop.targets[0].blocking)
    tenure.beside = relay.take
    return relay


async def _until_stopped(loop: Loop, *beside: Coroutine[None, None, None]) -> int:
    """The loop at work, stopped by a signal, and what goes on ``beside`` it; the exit status."""
    stopping = Stopping(loop)
    stopping.install(lambda: loop.wakeups.poke("signal"))
    running = asyncio.get_running_loop()
    tasks = [running.create_task(each) for each in beside]
    for task in tasks:
        task.add_done_callback(_told_if_crashed)
    try:
        await loop.run()
    finally:
        loop.wakeups.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return stopping.status


def _mine(loop: Loop) -> Collection[str]:
    """The targets that this process works at: all of them, unless it shares them with others."""
    return loop.tenure.mine if loop.tenure is not None else loop.paces


def _told_if_crashed(task: asyncio.Task[None]) -> None:
    """What goes on beside the loop may end by a mistake of ours; the loop goes on without it, and the log says so."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        what = {"message": "a task beside the loop has crashed", "exception": error}
        task.get_loop().call_exception_handler(what)
