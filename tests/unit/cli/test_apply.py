"""When an apply may send: nothing to send, the approved digest, --yes, or a person's yes."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace

import pytest

from agent.cli.main import main
from agent.cli.options import Options, TargetPlan
from agent.cli.verbs import apply
from agent.errors import Refused
from agent.report.text import change_lines
from tests.unit.report import samples
from tests.unit.report.samples import PLAN

ARGUMENTS = Namespace(color="never")
PLANS = (TargetPlan("analytics", PLAN),)


def confirm(
    options: Options,
    approved: list[str] | None = None,
    plans: tuple[TargetPlan, ...] = PLANS,
    ask: Callable[[], str] = input,
) -> bool:
    return apply._confirm(plans, options, approved or [], ARGUMENTS, ask)


def test_the_approved_digest_is_enough() -> None:
    assert confirm(Options(expect=PLAN.digest))


def test_another_digest_is_refused_with_the_difference(capsys: pytest.CaptureFixture[str]) -> None:
    approved = change_lines([replace(PLAN, changes=(samples.DELETE,))])
    plans = (TargetPlan("analytics", replace(PLAN, changes=(samples.DELETE, samples.DRIFT))),)
    with pytest.raises(Refused) as caught:
        confirm(Options(expect="p1-" + "0" * 32), approved, plans)
    assert (caught.value.error_code, caught.value.exit_status) == ("stale-digest", 4)
    assert (
        "new since approval   ~ update  Service/analytics/ingest   service.replicas 9 -> 3   drift"
        in capsys.readouterr().err
    )


def test_nothing_to_send_needs_no_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert confirm(Options(), plans=(TargetPlan("analytics", samples.IN_SYNC),))
    assert capsys.readouterr().err == ""


def test_yes_shows_the_plan_and_asks_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert confirm(Options(yes=True))
    captured = capsys.readouterr()
    assert "delete   Workflow/old-load" in captured.err
    assert "[y/N]" not in captured.err
    assert captured.out == ""
    assert confirm(Options(yes=True, quiet=True))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("answer", "sends"), [("y\n", True), ("YES\n", True), ("\n", False), ("n\n", False), ("", False)]
)
def test_a_person_is_asked_on_standard_error(
    answer: str | None, sends: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    def ask() -> str:
        if answer is None:
            raise EOFError
        return answer

    assert confirm(Options(), ask=ask) is sends
    captured = capsys.readouterr()
    assert "apply these 7 changes? [y/N]" in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["apply"], "nobody can be asked"),
        (["apply", "--yes", "--confirm-deletes", "3"], "needs --expect"),
        (["apply", "--plan", "x", "--expect", "p1-" + "0" * 32], "exclude each other"),
        (["apply", "--plan", "/nonexistent"], "cannot be read"),
        (["diff", "--fail-on", "delete,explosion"], "explosion"),
        (["logs", "Workflow"], "one resource"),
        (["history", "--since", "yesterday"], "not a duration"),
        (["sandbox", "--port", "65536"], "65535"),
    ],
)
def test_a_wrong_command_line_ends_with_64(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 64
    captured = capsys.readouterr()
    assert told in captured.err
    assert captured.out == ""
