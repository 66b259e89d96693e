"""A delete waits for whoever needed its object when they were applied last."""

from __future__ import annotations

import pytest

from agent.model.change import Action, Change
from agent.model.identity import Key
from agent.plan.departing import tie_deletes
from agent.plan.ground import key_to_json

GATE, OTHER, PATH = (Key("main", kind, (), "west") for kind in ("Gate", "Fence", "Path"))
APPLIED = {PATH: {"depends_on": [key_to_json(GATE)]}}


@pytest.mark.parametrize(
    ("action", "becomes", "waits"),
    [
        (Action.UPDATE, Action.DELETE, (PATH,)),
        (Action.REPLACE, Action.DELETE, (PATH,)),
        (Action.HOLD, Action.HOLD, ()),
        (Action.NONE, Action.DELETE, ()),
        (Action.DELETE, Action.DELETE, ()),
    ],
)
def test_a_delete_waits_for_a_change_of_what_needed_it_and_is_held_with_it(
    action: Action, becomes: Action, waits: tuple[Key, ...]
) -> None:
    changes = [Change(PATH, action), Change(GATE, Action.DELETE), Change(OTHER, Action.DELETE)]
    _, gate, other = tie_deletes(changes, APPLIED)
    assert (gate.action, gate.depends_on) == (becomes, waits)
    assert other == changes[2]
