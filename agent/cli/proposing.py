"""``diff --base``: what a proposal does, by what is merged; on line, or against the older revision alone.

Used by the verb ``diff``. Sends reads only, and none at all off line.
"""

from __future__ import annotations

from dataclasses import replace

from agent.cli.merged import Comparison
from agent.cli.opening import Footing, open_targets
from agent.cli.options import Options, TargetPlan
from agent.cli.unconnected import unconnected
from agent.cli.wiring import wish_of
from agent.errors import AgentError, ConfigError
from agent.reconcile.causes import with_causes
from agent.reconcile.neighbours import in_turn
from agent.reconcile.picture import look_at_picture, revision_as_live
from agent.reconcile.proposal import look_at_proposal, proposal_of
from agent.reconcile.target import Target


async def plans_of(comparison: Comparison, options: Options) -> tuple[TargetPlan, ...]:
    """The plan of each target, about nothing but what the proposal changes. One target's failure is its own."""
    if options.offline:
        with unconnected(comparison.config, options, comparison.source) as targets:
            ordered = in_turn(targets, comparison.head)
            return tuple([await _plan(target, comparison, options, before) for target, before in ordered])
    footing = Footing(comparison.source, stateless=not comparison.trusts_state)
    async with open_targets(comparison.config, options, writable=False, footing=footing) as opened:
        ordered = in_turn(opened.targets, comparison.head)
        return tuple([await _plan(target, comparison, options, before) for target, before in ordered])


async def _plan(target: Target, comparison: Comparison, options: Options, before: frozenset[str]) -> TargetPlan:
    try:
        start, head = comparison.renditions
        proposal = proposal_of(target, comparison.start, comparison.head, start.get(target.name), head.get(target.name))
        wish = replace(wish_of(options, comparison.head, preceding=before), careful=True)
        if options.offline:
            picture = revision_as_live(target, proposal)
            seen = look_at_picture(target, picture, proposal.head, wish, proposal)
        else:
            seen = await look_at_proposal(target, proposal, wish)
    except ConfigError:
        raise
    except AgentError as error:
        return TargetPlan(target.name, error=error)
    return TargetPlan(target.name, with_causes(seen.plan, comparison.source), proposal.head, merged=proposal.base)
