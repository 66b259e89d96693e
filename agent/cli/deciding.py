"""A person's word on a create whose answer was lost. Used by the verb ``decide``; written beside a running agent."""

from __future__ import annotations

from agent.cli.arguments import ambiguous
from agent.cli.beside import open_beside
from agent.cli.options import Options, chosen
from agent.cli.suspending import who
from agent.config.model import Config
from agent.definitions.load import load_platform
from agent.errors import UsageError
from agent.model.inventory import Decision, Intent
from agent.model.selector import Selector
from agent.report.escape import clean
from agent.store.store import Store


def decide(config: Config, options: Options, selector: Selector, *, made: bool, server_id: str | None) -> Intent:
    """The create that was decided. Raises UsageError when none, or more than one, is in doubt; StoreError."""
    config = chosen(config, options)
    with open_beside(config) as (store, clock):
        intent = _in_doubt(store, config, selector)
        if made and not server_id and _has_id(config, intent):
            raise UsageError(
                f"a {intent.key.kind} is found again by its id", fix=f"datakeel decide {selector.text} --made ID"
            )
        store.decide(Decision(intent.op_id, made, server_id or None, who(), clock.now()))
        return intent


def _in_doubt(store: Store, config: Config, selector: Selector) -> Intent:
    found = [
        opened.intent
        for target in config.targets
        for opened in store.open_intents(target)
        if opened.intent.action == "create"
        and selector.matches(opened.intent.key.kind, opened.intent.key.scope, opened.intent.key.name)
    ]
    if not found:
        what = f"no create of {clean(selector.text, 120)} is in doubt"
        raise UsageError(what, fix="datakeel status lists what is")
    if len(found) > 1:
        raise ambiguous(selector, (intent.key for intent in found))
    return found[0]


def _has_id(config: Config, intent: Intent) -> bool:
    """Whether objects of its kind have an id: without it this one could not be told from others of its name."""
    target = config.targets[intent.key.target]
    kind = load_platform(target.platform, extra_folders=config.schemas).kinds.get(intent.key.kind)
    return kind is not None and kind.id is not None and not kind.unique
