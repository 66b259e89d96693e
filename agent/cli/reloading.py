"""A changed configuration, laid over a running agent: only the targets that it adds, removes or changes are touched.

Used by ``at_work``; the loop calls it between two passes, after SIGHUP or when the file has changed. One that is
invalid changes nothing: the one before stays in force, and log and status say so. What a process cannot change while
it runs is told, and waits for the next start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import structlog

from agent.cli.notifications import Notifications
from agent.cli.opening import Bench, everyone_of
from agent.cli.options import Options, chosen
from agent.cli.reading import platforms_of
from agent.config.model import Config, TargetConfig
from agent.definitions.platform import Platform
from agent.errors import AgentError, ConfigError, StoreError
from agent.reconcile.last import LastDesired
from agent.reconcile.loop import Loop
from agent.reconcile.neighbours import in_turn
from agent.reconcile.target import Neighbour, Neighbours, Target
from agent.report.problems import render_problem

_PROBLEMS_MAX = 20
_log = structlog.get_logger("datakeel")


class Reloading:
    """``load`` reads the configuration anew."""

    def __init__(
        self,
        config: Config,
        options: Options,
        bench: Bench,
        loop: Loop,
        load: Callable[[], Config],
        notifications: Notifications,
    ) -> None:
        self.config = config
        self._options = options
        self._bench = bench
        self._loop = loop
        self._load = load
        self._told: str | None = None
        self._notifications = notifications

    async def __call__(self) -> None:
        """Take the configuration, or keep the one before. Raises nothing that a configuration could cause."""
        try:
            found = self._load()
            config, waiting = self._changeable(found)
            changed = config != self.config
            targets = self._targets(config) if changed else None
            if changed:
                self._notifications.take(config.notifications)
        except AgentError as error:
            self._refuse(error)
            return
        self._take_back_refusal()
        if waiting:
            _log.warning("config.waits_for_restart", keys=waiting)
        if targets is not None:
            await self._lay(config, targets)

    def _changeable(self, found: Config) -> tuple[Config, list[str]]:
        """The new configuration, without what only a start can change; and the keys of that."""
        old, waiting = self.config, []
        source = replace(found.source, interval_seconds=old.source.interval_seconds)
        if source != old.source:
            waiting.append("source")
            found = replace(found, source=replace(old.source, interval_seconds=found.source.interval_seconds))
        for key in ("state", "server", "sharing", "state_password"):
            if getattr(found, key) != getattr(old, key):
                waiting.append(key)
                found = replace(found, **{key: getattr(old, key)})
        hooks = {name: target.hook for name, target in old.targets.items()}
        for name, target in found.targets.items():
            if name in hooks and target.hook != hooks[name]:
                waiting.append(f"targets.{name}.hook")
                found = replace(found, targets={**found.targets, name: replace(target, hook=hooks[name])})
        return found, waiting

    def _targets(self, config: Config) -> list[Target]:
        """The targets of the new configuration: those that are as before, and new ones. Raises ConfigError."""
        here = {target.name: target for target in self._loop.targets}
        meant = chosen(config, self._options).targets
        targets, made = [], len(self._bench.opened)
        everyone, several = everyone_of(config), config.sharing.replicas > 1
        platforms = platforms_of(replace(config, targets=meant))
        try:
            for name, target in meant.items():
                before, platform = here.get(name), platforms[name]
                if before is not None and _is_same(before, target, platform):
                    targets.append(before)
                else:
                    targets.append(self._bench.made(target, platform, everyone, several))
        except ConfigError:
            del self._bench.opened[made:]  # connected to nothing yet
            raise
        return [target for target, _ in in_turn(targets, None)]

    async def _lay(self, config: Config, targets: list[Target]) -> None:
        here = {target.name: target for target in self._loop.targets}
        names = {target.name for target in targets}
        fresh = {target.name for target in targets if here.get(target.name) is not target}
        everyone = everyone_of(config)
        for target in targets:
            if target.name not in fresh:
                _set_among(target, config, everyone)
            elif (inbox := self._loop.inboxes.get(target.name)) is not None:
                inbox.serve(target.platform, target.config.defaults)
        self._loop.replace_targets(targets, config.source.interval_seconds)
        self._share(targets)
        gone = {name for name in here if name in fresh or name not in names}
        self._bench.opened[:] = targets
        for name in gone:
            await here[name].api.close()
        self.config = config
        _log.info(
            "config.reloaded",
            added=sorted(fresh - here.keys()),
            changed=sorted(fresh & here.keys()),
            removed=sorted(here.keys() - names),
            interval_seconds=config.source.interval_seconds,
        )
        self._forget_alerts(names)

    def _forget_alerts(self, names: set[str]) -> None:
        if self._loop.tenure is None:  # others may have targets that this one does not
            try:
                self._bench.store.forget_alerts(names)
            except StoreError as error:
                _log.warning("store.failed", message=error.what)

    def _share(self, targets: list[Target]) -> None:
        """Where agents share a store, each may come for a new target."""
        tenure, store = self._loop.tenure, self._bench.store
        if tenure is not None and store.sharing is not None:
            tenure.targets = targets
            try:
                store.share(store.sharing, [target.name for target in targets])
            except StoreError as error:
                _log.warning("store.failed", message=error.what)

    def _refuse(self, error: AgentError) -> None:
        problems = getattr(error, "problems", ()) or (error.as_problem(),)
        lines = [render_problem(problem)[0] for problem in problems[:_PROBLEMS_MAX]]
        told = "\n".join(lines)
        if told == self._told:
            return  # once: a file is written in many steps
        self._told = told
        _log.warning("config.refused", code=error.error_code, message=error.what, problems=lines)
        words = {"at": self._bench.clock.now(), "message": error.what, "problems": lines}
        self._write(words)

    def _take_back_refusal(self) -> None:
        if self._told is not None:
            self._told = None
            _log.info("config.accepted")
            self._write(None)

    def _write(self, words: dict[str, object] | None) -> None:
        try:
            self._bench.store.refuse_config(words)
        except StoreError as error:
            _log.warning("store.failed", message=error.what)


def _is_same(target: Target, config: TargetConfig, platform: Platform) -> bool:
    """Whether the target is as it was; who its neighbours are is no part of it."""
    return target.config == replace(config, others=target.config.others) and target.platform.digest == platform.digest


def _set_among(target: Target, config: Config, everyone: Mapping[str, Neighbour]) -> None:
    """Its neighbours are others now: what manifests say of them is judged anew."""
    found = config.targets[target.name]
    if found != target.config:
        target.config, target.last = found, LastDesired()
    target.neighbours = Neighbours(everyone, target.name)
