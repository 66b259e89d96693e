"""The verbs that walk to the platform: plan, apply. Each takes as many steps of the walk as it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from agent.cli.exits import denied, too_many_calls
from agent.cli.opening import open_targets
from agent.cli.options import Options, TargetPlan
from agent.cli.reading import revision_of
from agent.cli.renditions import since
from agent.cli.shared import working_folder
from agent.config.model import Config
from agent.errors import AgentError, ConfigError, Refused
from agent.model.change import Change, digest_of
from agent.model.identity import Key, Revision
from agent.model.outcome import Outcome, Report
from agent.reconcile.causes import with_causes
from agent.reconcile.looking import Look, look, still_waiting
from agent.reconcile.neighbours import in_turn
from agent.reconcile.once import reconcile_once
from agent.reconcile.proposal import look_at_proposal, parted_at, proposal_of
from agent.reconcile.target import Target
from agent.reconcile.wish import Wish


async def make_plans(config: Config, options: Options) -> tuple[TargetPlan, ...]:
    """``diff``: the plan of each target. One target's failure is its own; nothing but reads is sent."""
    async with open_targets(config, options, writable=False) as opened:
        revision = revision_of(opened.source, options)
        ordered = in_turn(opened.targets, revision)
        return tuple([await _plan(target, options, revision, before) for target, before in ordered])


async def apply_plans(
    config: Config,
    options: Options,
    *,
    confirm: Callable[[tuple[TargetPlan, ...]], bool],
    tell: Callable[[Outcome], None] = lambda outcome: None,
    begin: Callable[[Change], None] = lambda change: None,
) -> tuple[Report, ...]:
    """``apply``: plan, have it confirmed, send it. Raises Refused when it is not the approved plan."""
    async with open_targets(config, options, writable=True) as opened:
        revision = revision_of(opened.source, options, admitted=True)
        wish = replace(wish_of(options, revision), wait_for_all=True, tell=tell, begin=begin)
        base = parted_at(opened.source, opened.source.resolve(options.base), revision) if options.base else None
        ordered = in_turn(opened.targets, revision)
        older = since(opened.source, config, base, working_folder()) if base else {}
        proposals = (
            {target.name: proposal_of(target, base, revision, older.get(target.name)) for target, _ in ordered}
            if base
            else {}
        )

        async def seen_by(target: Target, wish: Wish) -> Look:
            proposal = proposals.get(target.name)
            return await (look(target, wish) if proposal is None else look_at_proposal(target, proposal, wish))

        seen = [await seen_by(target, replace(wish, preceding=before)) for target, before in ordered]
        if not proposals and options.expect not in (None, digest_of(tuple(each.plan for each in seen))):
            # The approved plan may come from `diff --fresh`: only what is read now can tell that it no longer holds.
            wish = replace(wish, fresh=True)
            seen = [await seen_by(target, replace(wish, preceding=before)) for target, before in ordered]
        plans = tuple(TargetPlan(each.plan.target, each.plan, each.desired) for each in seen)
        refusal = too_many_calls(plans, options)
        refusal = refusal or denied(each.plan for each in seen)
        if refusal is not None:
            raise refusal
        if not confirm(plans):
            raise Refused("not confirmed; nothing was sent", code="not-confirmed")
        whole = digest_of(tuple(each.plan for each in seen))
        if options.expect not in (None, whole) and any(each.plan.writes for each in seen):
            raise Refused(
                f"this is not the approved plan (approved {options.expect}, now {whole})",
                code="stale-digest",
                fix="datakeel diff shows what it would do now; approve that digest",
            )
        reports = []
        for (target, before), each in zip(ordered, seen, strict=True):
            its = proposals[target.name].wish(wish) if target.name in proposals else wish
            reports.append(await reconcile_once(target, its, still_waiting(target, each) if before else each))
        return tuple(reports)


async def _plan(target: Target, options: Options, revision: Revision, before: frozenset[str]) -> TargetPlan:
    try:
        seen: Look = await look(target, replace(wish_of(options, revision, preceding=before), careful=True))
    except ConfigError:
        raise
    except AgentError as error:
        return TargetPlan(target.name, error=error)
    return TargetPlan(target.name, with_causes(seen.plan, target.source), seen.desired)


def wish_of(options: Options, revision: Revision | None, *, preceding: frozenset[str] = frozenset()) -> Wish:
    """What the options ask of a pass."""
    selects: Callable[[Key, str], bool] | None = None
    if options.only:
        selects = lambda key, path: options.selects(key.kind, key.scope, key.name, path)  # noqa: E731
    return Wish(
        revision,
        fresh=options.fresh,
        careful=options.expect is not None,
        confirm_deletes=options.confirm_deletes,
        confirm_changes=options.confirm_changes,
        ignore_windows=options.ignore_windows,
        selects=selects,
        preceding=preceding,
    )
