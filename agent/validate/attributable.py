"""What several agents must not make: an object that nobody could tell from another agent's. Pure.

Called for the targets of a state that agents share. One that stood still may send a call after another took over. Where
an object has a name of its own the platform refuses the second one, where it carries our mark the second one is found
and known, and a call under a key is answered as the first was. A kind with none of these would leave a duplicate that
nobody can attribute (``design/fault-model.md``, section 1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agent.definitions.platform import Kind
from agent.errors import Problem, Where
from agent.model.resource import Desired
from agent.validate.references import Wrong


def find_unattributable(desired: Desired, kinds: Mapping[str, Kind]) -> Iterator[Wrong]:
    """Each manifest of such a kind."""
    for key, resource in desired.resources.items():
        kind = kinds.get(key.kind)
        if kind is None or kind.create is None or kind.unique or kind.mark is not None:
            continue
        if kind.create.idempotency is None:
            what = f"a {kind.name} has neither a name of its own nor a mark, and several agents share this state"
            why = "one that stood still could make a second object, and nobody could tell whose it is"
            fix = "write `replicas: 1` into the configuration if this agent is the only one, and run only one"
            yield Wrong(Problem("replicas-unsafe", what, Where(*resource.origin), str(key), why=why, fix=fix), (key,))
