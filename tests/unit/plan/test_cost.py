"""What a list costs once it has grown: readiness is looked for in lists that what is made makes longer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.definitions.expressions import Expression, PathTemplate
from agent.definitions.platform import Operation, Pages
from agent.model.change import Action, Change, Requests
from agent.plan.cost import cost
from tests.unit.live.made_up import KEY, RESOURCE, with_kind


def ready_calls(made: int, *, pages: int, rows: int, ask: int | None = 100) -> int:
    kind = replace(
        RESOURCE,
        list=Operation("GET", PathTemplate("/things"), pages=Pages("page", ask=ask)),
        ready=Expression("state == 'ready'"),
    )
    changes = [
        Change(KEY._replace(name=f"n{number}"), Action.CREATE, requests=Requests(1, 1, 0, 2)) for number in range(made)
    ]
    return cost(changes, with_kind(kind), {kind.name: pages}, 10, (), {kind.name: rows}).ready


@pytest.mark.parametrize(
    ("made", "pages", "rows", "ask", "expected"),
    [
        (1, 1, 0, 100, 10),  # ten looks at one page
        (2, 1, 99, 100, 20),  # the second one begins a page
        (250, 1, 0, 100, 30),
        (1, 4, 80, 100, 50),  # this server gives twenty at a time, whatever is asked for
        (1, 1, 20, None, 20),
    ],
)
def test_a_list_is_read_as_long_as_it_will_be(made: int, pages: int, rows: int, ask: int | None, expected: int) -> None:
    assert ready_calls(made, pages=pages, rows=rows, ask=ask) == expected
