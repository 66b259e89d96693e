"""Rules of a policy in real passes: what is denied or put off is not sent, and the others go on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.model.actor import Actor, Person
from agent.model.outcome import Report, Result
from agent.model.verdict import Effect
from agent.policy.rule import Match, Rule
from agent.reconcile.proposal import look_at_proposal, proposal_of
from agent.reconcile.wish import Wish
from agent.report.documents import pass_document
from tests.simulation.virtual_time import VirtualLoop, run
from tests.unit.reconcile.scene import Scene, workflow


def play(folder: Path, story: Callable[[Scene], Awaitable[None]], *rules: Rule) -> None:
    loop = VirtualLoop()
    scene = Scene(folder, loop, {f"{name}.yaml": workflow(name, 1) for name in ("alpha", "beta", "gamma")})
    set_rules(scene, *rules)
    try:
        run(story(scene), loop)
    finally:
        scene.close()


def set_rules(scene: Scene, *rules: Rule) -> None:
    scene.target.config = replace(scene.target.config, rules=rules)


def rule(expression: str, effect: Effect = Effect.DENY, **match: Any) -> Rule:
    return Rule("rule", effect, expression, "it is so", Match(**match), "do something else")


def results(report: Report) -> dict[str, tuple[Result, str]]:
    return {one.change.key.name: (one.result, one.change.reason) for one in report.outcomes}


async def passed(scene: Scene) -> Report:
    await scene.clock.sleep(30.0)
    return await scene.look(woken_by_git=False)


def test_what_is_denied_is_held_and_told_while_the_others_go(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        first = await passed(scene)
        assert results(first) == {
            "alpha": (Result.HELD, "Policy"),
            "beta": (Result.DONE, ""),
            "gamma": (Result.DONE, ""),
        }
        assert {each["name"] for each in scene.sandbox.resources()} == {"beta", "gamma"}
        (said,) = pass_document(first)["policy"]
        assert (said["rule"], said["effect"], said["key"]["name"]) == ("rule", "deny", "alpha")
        set_rules(scene)
        assert results(await passed(scene)) == {"alpha": (Result.DONE, "")}

    play(tmp_path, story, rule("change.desired.workflow.schedule.cron == '0 1 * * *'", names=("alpha",)))


def test_what_is_put_off_goes_by_itself_when_its_hour_has_come(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await passed(scene)
        hour = datetime.fromtimestamp(scene.clock.now(), UTC).hour
        set_rules(scene, rule(f"now.hour == {hour}", Effect.HOLD, actions=("delete",)))
        scene.commit(alpha=None, beta=workflow("beta", 2))
        assert results(await passed(scene)) == {"alpha": (Result.HELD, "PolicyHold"), "beta": (Result.DONE, "")}
        await scene.clock.sleep(3600.0)
        assert results(await passed(scene)) == {"alpha": (Result.DONE, "")}

    play(tmp_path, story)


def test_who_wrote_the_commit_decides(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await passed(scene)
        scene.commit(alpha=None)
        assert results(await passed(scene)) == {"alpha": (Result.HELD, "Policy")}
        ann = Person("Ann", "ann@example.com")
        scene.source.actors[scene.source.fetch().commit] = Actor(ann, ann)
        scene.restart()
        set_rules(scene, few)
        assert results(await passed(scene)) == {"alpha": (Result.DONE, "")}

    few = rule("actor.author.email != 'ann@example.com'", actions=("delete",))
    play(tmp_path, story, few)


def test_a_rule_that_fails_refuses_until_it_is_mended(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        report = await passed(scene)
        assert {reason for _, reason in results(report).values()} == {"Policy"}
        assert 'could not be evaluated: no member "owner"' in report.outcomes[0].change.message
        assert scene.sandbox.resources() == []

    play(tmp_path, story, rule("change.desired.owner == ''"))


def test_a_proposal_tells_what_rules_say_of_its_own_changes(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await passed(scene)
        base = scene.source.fetch()
        scene.commit(alpha=workflow("alpha", 2))
        change = {"workflow": {"dag": [{"name": "other"}]}}
        scene.sandbox.person_edit(type="workflow", name="beta", workspace="public", change=change)
        set_rules(scene, rule("true", Effect.WARN))
        await scene.clock.sleep(30.0)
        plan = (
            await look_at_proposal(scene.target, proposal_of(scene.target, base, scene.source.fetch()), Wish())
        ).plan
        assert [verdict.key.name for verdict in plan.verdicts or ()] == ["alpha"]

    play(tmp_path, story)
