"""CEL as rules use it: what it says, where a mistake stands, and that nothing that is written can run away.

The library is young: each behaviour that we lean on is held here.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from agent.policy.language import ADDITIONS_MAX, LENGTH_MAX, MACROS_DEEP_MAX, Condition, NotCompiled, NotEvaluated

FACTS: dict[str, Any] = {
    "change": {
        "kind": "Workflow",
        "name": "daily",
        "fields": [{"path": "cron", "before": "a", "after": [1, 2]}, {"path": "password", "sensitive": True}],
        "desired": {"tags": ["owner:sales"], "replicas": 3, "share": 0.5, "cron": "*/5 * * * *", "odd": None},
    },
    "plan": {"deletes": 3, "owned": 10, "by_kind": {"Workflow": {"deletes": 2}}, "deletes_share": 0.3},
    "actor": {"author": {"name": "Ann", "email": "ann@example.com"}, "committer": {}, "signer": ""},
    "now": {"weekday": "friday", "hour": 17},
    "values": {"leads": ["ann@example.com"]},
}


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ("change.kind == 'Workflow' && now.hour >= 16", True),
        ("plan.deletes > 5 && !(actor.author.email in values.leads)", False),
        ("plan.by_kind[change.kind].deletes == 2", True),
        ("plan.deletes_share > 0.25", True),
        ("change.desired.tags.exists(tag, tag.startsWith('owner:'))", True),
        ("has(change.desired.description)", False),
        ("change.desired.?workflow.?schedule.?cron.hasValue()", False),
        ("change.desired.?nothing.orValue([]).size() == 0", True),
        ("change.fields.exists(f, has(f.after) && f.after == [1, 2])", True),
        ("change.fields.exists(f, f.path == 'cron' && f.before == 'a')", True),
        ("change.desired.replicas > 2.5 && change.desired.share < 1.0", True),
        ("change.desired.odd == null", True),
        ("change.name.matches('^d.*y$')", True),
        ("cronInterval(change.desired.cron) < duration('1h')", True),
        ("size(change.fields) == 2 // a remark", True),
        ("change.name == 'change.knd + + + + + + + +'", False),
    ],
)
def test_an_expression_says_what_it_says_in_cel(source: str, holds: bool) -> None:
    assert Condition(source, {"leads"}).holds(FACTS) is holds


@pytest.mark.parametrize(
    ("source", "line", "column", "what", "fix"),
    [
        ("chang.kind == 'x'", 1, 1, "`chang` is not known", "did you mean `change`?"),
        ("change.knd == 'x'", 1, 8, "`change` has no `knd`", "did you mean `kind`?"),
        ("values.leeds == []", 1, 8, "`values` has no `leeds`", "did you mean `leads`?"),
        ("change.name.startWith('a')", 1, 22, "`startWith` is not known", "did you mean `startsWith`?"),
        ("change.kind = 'x'", 1, 13, "token recognition error", "write == to compare"),
        ("true &&\n  (1 == 1", 2, 10, "missing ')'", None),
        ("plan.deletes + 'a' == 1", 1, 20, "no matching overload", None),
        ("'text'", 1, 1, "it gives a text, and a rule is true or false", None),
        ("", 1, 1, "mismatched input", None),
    ],
)
def test_a_mistake_is_told_where_it_stands(source: str, line: int, column: int, what: str, fix: str | None) -> None:
    with pytest.raises(NotCompiled) as caught:
        Condition(source, {"leads"})
    mistake = caught.value.mistake
    assert (mistake.line, mistake.column, mistake.fix) == (line, column, fix)
    assert what in mistake.what


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("change.desired.nothing == 1", 'no member "nothing"'),
        ("change.kind > 3", "No matching overloads"),
        ("plan.deletes / (plan.deletes - 3) == 1", "divide by zero"),
        ("change.desired.tags", "it gives a list, neither true nor false"),
        ("change.name.matches('(')", "invalid regular expression"),
        ("cronInterval('often') < duration('1h')", "'often' is no cron expression"),
        ("change.live.a == 1", 'no member "live"'),
    ],
)
def test_what_cannot_be_evaluated_is_neither_true_nor_false(source: str, why: str) -> None:
    condition = Condition(source)
    with pytest.raises(NotEvaluated, match=why.replace("(", r"\(")):
        condition.holds(FACTS)


def test_a_condition_knows_what_it_reads() -> None:
    one = Condition("change.desired.a == 'plan.deletes' && actor['author'].email == '' // now.hour")
    assert (one.names, one.sides) == ({"change", "actor"}, ("desired",))
    two = Condition("change['live'].a == now.hour + plan['deletes']")
    assert (two.names, two.sides) == ({"change", "now", "plan"}, ("live",))


@pytest.mark.parametrize(
    "source",
    [
        "(" * 400 + "true" + ")" * 400,
        "[" * 60 + "]" * 60 + " == []",
        "[{!" * 40 + "true",
        "!" * (LENGTH_MAX + 1) + "true",
        "'a' == " + " + ".join(["'a'"] * (ADDITIONS_MAX + 2)),
        "[1].all(a, " * (MACROS_DEEP_MAX + 1) + "true" + ")" * (MACROS_DEEP_MAX + 1),
    ],
)
def test_what_could_grow_is_refused_when_it_is_read(source: str) -> None:
    with pytest.raises(NotCompiled):
        Condition(source)


def test_just_inside_of_the_bounds_is_fine() -> None:
    assert Condition("'a' != " + " + ".join(["'a'"] * (ADDITIONS_MAX + 1))).holds({})
    assert Condition("[1].all(a, " * MACROS_DEEP_MAX + "true" + ")" * MACROS_DEEP_MAX).holds({})
    assert Condition("true" + " " * (LENGTH_MAX - 4)).holds({})


def test_the_worst_that_may_be_written_ends_soon_and_stays_small() -> None:
    """In a process of its own, that may use five seconds of the processor and 800 MB."""
    program = """
import resource
resource.setrlimit(resource.RLIMIT_CPU, (5, 5))
resource.setrlimit(resource.RLIMIT_AS, (800 << 20, 800 << 20))
from agent.policy.language import Condition, NotEvaluated
facts = {"change": {"fields": list(range(400)), "name": "n" * 1_000_000}}
for source in (
    "change.fields.all(a, change.fields.all(b, change.fields.all(c, a + b + c >= 0)))",
    "[change.name].map(a, a + a).map(b, b + b).map(c, c + c).map(d, d + d).map(e, e + e).map(f, f + f).size() == 1",
    "change.name.matches('(n|n)*z')",
    "change.fields.map(a, change.fields).map(a, change.fields).size() == 400",
):
    try:
        print(Condition(source).holds(facts))
    except NotEvaluated as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["Iteration budget exceeded", "True", "False", "True"]
