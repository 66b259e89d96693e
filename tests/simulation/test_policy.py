"""The simulation under rules: what only waits changes no end, and rules that say nothing change nothing at all."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import pytest

from agent.config.model import TargetConfig
from agent.model.verdict import Effect
from agent.policy.rule import Match, Rule
from tests.simulation.places import place
from tests.simulation.story import World, tell

SILENT = (
    Rule("never", Effect.DENY, "change.?desired.?nothing.hasValue() || plan.deletes > 1000", "it cannot be"),
    Rule("nobody", Effect.DENY, "actor.author.email == 'eve@example.com'", "it is Eve"),
)
WAITING = (
    Rule("even", Effect.HOLD, "now.minute % 2 == 0", "not in an even minute", Match(actions=("create", "update"))),
    Rule("third", Effect.HOLD, "now.minute % 3 != 0", "deletes go each third minute", Match(actions=("delete",))),
    Rule("always", Effect.WARN, "true", "so it is said"),
)


class Silent(World):
    def config(self) -> TargetConfig:
        return dataclasses.replace(super().config(), rules=SILENT)


class Waiting(World):
    def config(self) -> TargetConfig:
        return dataclasses.replace(super().config(), rules=WAITING)


def test_rules_that_say_nothing_change_nothing(folder: Path, template: Path) -> None:
    plain = tell(0, place(folder, "plain"), template=template)
    ruled = tell(0, place(folder, "silent"), template=template, cell=Silent)
    assert (ruled.log, ruled.live, ruled.effects) == (plain.log, plain.live, plain.effects)


@pytest.mark.parametrize("seed", range(2))
def test_what_only_waits_comes_to_the_end_that_git_says(seed: int, folder: Path, template: Path) -> None:
    kill = random.Random(f"kill/{seed}").randint(1, 120)
    told = tell(seed, place(folder, f"waiting-{seed}"), template=template, cell=Waiting, kill_at=kill)
    assert told.violations == []
