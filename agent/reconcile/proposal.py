"""A proposal, such as a pull request: what lies between two revisions of git, held against live.

Called by the command line for ``diff --base`` and ``apply --base``. Only what the revisions do not say alike is read,
so that the calls are those of the change. Without any state the older revision stands for what was applied, and
ownership is what marks and names prove.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from agent.apply.secrets import NamedSecrets
from agent.config.model import TargetConfig
from agent.errors import SourceError
from agent.model.change import Action, Change, Plan
from agent.model.identity import Key, Revision, uid_of
from agent.model.inventory import InventoryRow
from agent.model.rendering import Rendition
from agent.model.resource import Desired, Resource, Unknown
from agent.plan.elsewhere import described
from agent.plan.ground import key_to_json
from agent.plan.hits import tell_hits
from agent.plan.normalize import fingerprinted
from agent.plan.proposal import changed_keys, told_apart, touched_leaves
from agent.reconcile.desired import read_desired
from agent.reconcile.looking import Look, look
from agent.reconcile.target import Target
from agent.reconcile.wish import Wish
from agent.source import Source


@dataclass(frozen=True, slots=True)
class Proposal:
    """Both revisions of one target, and the keys of which they do not say the same."""

    base: Desired
    head: Desired
    keys: frozenset[Key]

    def wish(self, wish: Wish) -> Wish:
        """The same wish for exactly these keys, each read by its key whatever is remembered."""
        selects = wish.selects
        keys = self.keys
        if selects is not None:
            found = {**self.base.resources, **self.head.resources}
            keys = frozenset(key for key in keys if selects(key, found[key].origin.path if key in found else ""))
        return replace(
            wish,
            revision=self.head.revision,
            fresh=False,
            glance=True,
            named=keys,
            selects=lambda key, path: key in keys,
            proposed=True,
        )


def parted_at(source: Source, base: Revision, head: Revision) -> Revision:
    """Where the proposal ``head`` leaves the history of ``base``: what came to that since is none of its doing."""
    found = source.merge_base(base, head)
    if found is None:
        raise SourceError(
            f"no commit is known at which {base} and {head} part",
            code="source-base",
            why="the history at hand is too short, or the two have nothing in common",
            fix="fetch the whole history first: `fetch-depth: 0` on GitHub, `GIT_DEPTH: 0` on GitLab",
        )
    return base if found.commit == base.commit else found


def proposal_of(
    target: Target,
    base: Revision,
    head: Revision,
    rendered_before: Rendition | None = None,
    rendered: Rendition | None = None,
) -> Proposal:
    """What the revisions say of a target, by its definition and its configuration. Raises SourceError.

    A rendition, where one is given, is what that revision's own configuration says of variables and overlays; the
    target keeps that of ``head``, which is what is to be applied.
    """
    before = read_desired(
        target.source, base, _with(target.config, rendered_before), target.platform, target.store, target.last
    )
    target.config = _with(target.config, rendered)
    after = read_desired(target.source, head, target.config, target.platform, target.store, target.last)
    return Proposal(before, after, changed_keys(before, after))


def _with(config: TargetConfig, rendition: Rendition | None) -> TargetConfig:
    if rendition is None:
        return config
    return replace(config, variables=rendition.variables, overlays=rendition.overlays)


def assume_applied(target: Target, proposal: Proposal, server_id: str | None = None) -> bool:
    """Where the store knows nothing of the target, have it know the older revision as applied; whether it did so.

    ``server_id`` stands for the id of every object, where none will be asked for.
    """
    if target.store.rows(target.name) or target.store.target_memory(target.name):
        return False
    resources = proposal.base.resources
    rows = [_row(target, resource, server_id) for resource in resources.values()]
    applied = {key: _applied(target, resources[key]) for key in proposal.keys if key in resources}
    target.store.assume(rows, applied)
    return True


async def look_at_proposal(target: Target, proposal: Proposal, wish: Wish) -> Look:
    """A look at what the proposal changes. Its plan has what others changed apart. Raises as ``look``."""
    assumed = assume_applied(target, proposal)
    wish = proposal.wish(wish)
    seen = await look(target, wish)
    return replace(seen, plan=plan_of(target, proposal, wish.named, seen, assumed=assumed))


def plan_of(target: Target, proposal: Proposal, keys: frozenset[Key], seen: Look, *, assumed: bool) -> Plan:
    """The plan of a look, reduced to what the proposal does."""
    touched = touched_leaves(proposal.base, proposal.head, keys, seen.ground)
    plan = told_apart(seen.plan, proposal.base, proposal.head, keys, touched, seen.ground)
    if assumed:
        plan = replace(plan, changes=tuple(_provable(change, target, proposal) for change in plan.changes))
    gone = {change.key for change in plan.changes if _is_gone(change, seen)}
    unread = target.secrets.unread if isinstance(target.secrets, NamedSecrets) else set()
    if unread:  # a value that nobody here can read differs by its hash alone
        plan = replace(
            plan, changes=tuple(map(_without_unread, plan.changes)), apart=tuple(map(_without_unread, plan.apart))
        )
    apart = tuple(change for change in plan.apart if change.fields)
    notes = plan.notes
    if unread:
        named = ", ".join(sorted(unread))
        notes = (*notes, f"not compared, since their values cannot be read here: the secrets {named}")
    changes = tell_hits([change for change in plan.changes if change.key not in gone], proposal.head)
    complete = plan.complete or (bool(gone) and not any(_is_unknown(change) for change in changes))
    return replace(plan, changes=changes, apart=apart, notes=notes, complete=complete and proposal.head.complete)


def _without_unread(change: Change) -> Change:
    """Without the secrets that the proposal does not touch."""
    return replace(change, fields=tuple(field for field in change.fields if not (field.apart and field.sensitive)))


def _is_unknown(change: Change) -> bool:
    return change.action is Action.HOLD and change.reason == "Unknown"


def _is_gone(change: Change, seen: Look) -> bool:
    """Whether the proposal removes what its own read no longer finds: nothing is left to do, and nothing is sent."""
    there = seen.observed.observations.get(change.key)
    removed = change.key not in seen.desired.resources and change.action in (Action.HOLD, Action.RELEASE)
    return removed and not change.unmarks and isinstance(there, Unknown) and there.code == "unconfirmed"


def _provable(change: Change, target: Target, proposal: Proposal) -> Change:
    """A change that stands on a row which was only assumed: what no mark and no name proves cannot be told."""
    kind = target.platform.kinds.get(change.key.kind)
    known = kind is None or kind.unique or kind.mark is not None
    if known or change.key not in proposal.base.resources or not change.sends:
        return change
    return change.held("Unknown", "only the agent's state tells which object this is; point `state` at a copy of it")


def _row(target: Target, resource: Resource, server_id: str | None) -> InventoryRow:
    return InventoryRow(
        resource.key,
        uid_of(target.platform.name, resource.key),
        server_id,
        applied_digest=resource.digest,
        definition=target.platform.digest,
        in_sync=True,
        health="ready",
        seen_at=target.clock.now(),
        origin_path=resource.origin.path,
        origin_line=resource.origin.line,
        protect=resource.lifecycle.protect,
    )


def _applied(target: Target, resource: Resource) -> Mapping[str, Any]:
    book = target.books.of(resource.key)
    spec = described(book, resource.read(), resource.files)
    return {
        "spec": fingerprinted(book, spec, target.secrets.fingerprint),
        "depends_on": [key_to_json(key) for key in resource.depends_on],
    }
