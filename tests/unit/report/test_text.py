"""The plan as text: order, columns, arrows, hidden secrets, costs; equal plans give equal bytes."""

from __future__ import annotations

from dataclasses import replace

from agent.model.change import Action, Change, Plan, digest_of
from agent.report.text import change_lines, delta, render_plan, render_plans
from tests.unit.report import samples
from tests.unit.report.samples import PLAN

EXPECTED = """\
analytics · dataos · workspace analytics · main@4f2c1ab

-   delete   Workflow/old-load                   removed in 9be01d2 by ann
      proof  made by us; tag and inventory agree; absent from git, which was read whole
-/+ replace  Volume/scratch                      manifests/dataos/volumes.yaml:14
      volume.accessMode                    "ReadWriteOnce" -> "ReadWriteMany"  cannot change in place
      hits   Service/ingest
!   held     Depot/raw-orders                    manifests/dataos/lake.yaml:31
      would  cannot be told
      why    live state unknown: GET answered 503 twice
!   held     Workflow/tmp-report
      would  delete
      why    protected; lift `protect` in one commit, remove the manifest in a later one
~   update   Depot/raw-lake          secret      manifests/dataos/lake.yaml:3
      depot.connection.password            (secret) changed         env DATAOS_LAKE_PASSWORD
~   update   Service/ingest          drift       manifests/dataos/ingest.yaml:1
      service.replicas                     9 -> 3                   changed live
~   update   Workflow/daily-etl                  manifests/dataos/daily.yaml:7
      workflow.schedule.cron               "0 2 * * *" -> "0 3 * * *"
      workflow.dag[name=load].spec.stack   "flare:6.0" -> "flare:7.0"
      workflow.dag[name=publish]           added {stack: "flare:7.0", dependencies: [load]}
      workflow.dag[name=tidy]              removed
      workflow.dag[name=load].spec.query   3 lines, 1 changed
        |   from orders
        | - where day = current_date
        | + where day >= current_date - 1
      description                          released: gone from git, stays "Daily ETL pipeline"
&   adopt    Workflow/hourly-sync                manifests/dataos/hourly.yaml:1
      identical to git; only the ownership mark is written
+   create   Workflow/weekly-report              manifests/dataos/weekly.yaml:1
      tags [finance] · workflow.schedule.cron "0 6 * * 1" · workflow.dag 2 items (--full)
*   drift    Policy/read-only                    manifests/dataos/policy.yaml:20
      policy.collation                     "b" -> "a"               reported, not healed (drift: report)

not shown  2 ignored, 1 server default (--full)
not ours   1 live object that git does not name; left alone
calls      26 to read; apply needs at most 30: 8 writes, 8 looks before, 8 confirmations, 6 for readiness
budget     54 of 80 left this minute, 611 of 800 left this hour (20 % kept for people); done in about 1 min
1 delete, 1 replace, 2 held, 3 update, 1 adopt, 1 create, 1 drift reported, 297 unchanged
"""


def test_the_plan_reads_as_designed() -> None:
    assert render_plan(PLAN) == EXPECTED


def test_the_digest_and_the_next_command_end_the_text() -> None:
    digest = PLAN.digest
    assert render_plans([PLAN]) == f"{EXPECTED}digest     {digest}\nnext       datakeel apply --expect {digest}\n"
    assert render_plans([PLAN], next_verb="").endswith(f"digest     {digest}\n")


def test_the_order_of_changes_does_not_matter() -> None:
    assert render_plans([replace(PLAN, changes=tuple(reversed(PLAN.changes)))]) == render_plans([PLAN])


def test_nothing_to_do_is_one_line() -> None:
    assert render_plans([samples.IN_SYNC]) == "analytics: 304 in sync with main@4f2c1ab, 26 calls\n"


def test_what_was_not_read_now_is_told_with_the_way_to_read_it() -> None:
    way = "as last read, datakeel diff --fresh reads it now\n"
    assert render_plans([replace(samples.IN_SYNC, remembered=304)]).endswith(f", 26 calls; content {way}")
    assert render_plans([replace(samples.IN_SYNC, remembered=9)]).endswith(f"; content of 9 {way}")
    assert f"\nunchanged  content of 9 {way}calls " in render_plans([replace(PLAN, remembered=9)], next_verb="")


def test_that_nothing_was_looked_at_is_not_called_in_sync() -> None:
    text = render_plans([replace(samples.IN_SYNC, unchanged=0)])
    assert text == "analytics: no resource that was asked for is in main@4f2c1ab or owned, 26 calls\n"


def test_what_could_not_be_read_is_never_called_in_sync() -> None:
    text = render_plans([replace(samples.IN_SYNC, complete=False)])
    assert "in sync" not in text
    assert "incomplete" in text


def test_a_plan_of_holds_alone_has_no_digest() -> None:
    text = render_plans([replace(PLAN, changes=(samples.HELD,))])
    assert "digest" not in text
    assert "next" not in text


def test_several_targets_have_a_block_each_a_total_and_one_digest() -> None:
    plans = [PLAN, replace(samples.IN_SYNC, target="sales")]
    text = render_plans(plans)
    assert text.startswith("analytics · dataos")
    assert "sales: 304 in sync" in text
    assert (
        "2 targets: 1 delete, 1 replace, 2 held, 3 update, 1 adopt, 1 create, 1 drift reported, 601 unchanged" in text
    )
    assert text.count("digest  ") == 1
    assert digest_of(tuple(plans)) in text


def test_names_of_several_scopes_are_told_apart() -> None:
    here = samples.ADOPT
    there = replace(here, key=here.key._replace(scope=(("workspace", "sales"),)))
    text = render_plan(replace(PLAN, changes=(here, there)))
    assert "Workflow/analytics/hourly-sync" in text
    assert "Workflow/sales/hourly-sync" in text
    assert "· workspace" not in text


def test_full_shortens_nothing() -> None:
    text = render_plan(PLAN, full=True)
    assert "(--full)" not in text
    assert 'workflow.dag[name=b].stack           added "flare:7.0"' in text
    assert "service.image: ignored (lifecycle.ignore)" in text


def test_a_sensitive_field_shows_neither_side_even_when_given() -> None:
    leaking = samples.field("p", before="canary-1", after="canary-2", sensitive=True)
    for action in (Action.UPDATE, Action.CREATE, Action.HOLD, Action.NONE, Action.REPLACE):
        plan = replace(PLAN, changes=(replace(samples.UPDATE, action=action, fields=(leaking,)),))
        for full in (False, True):
            assert "canary" not in render_plan(plan, full=full)


def test_hostile_names_and_values_start_no_line_and_drive_nothing() -> None:
    evil = "\n::error::x\x1b[2J##[group]\u202e"
    change = Change(
        samples.key(evil, evil, ()),
        Action.UPDATE,
        origin=samples.origin(evil, 1),
        fields=(samples.field(evil, before=evil, after=f"{evil}\nnew"),),
        message=evil,
    )
    held = replace(change, action=Action.HOLD, would=Action.UPDATE, reason=evil)
    stray_plan = replace(PLAN, target=evil, changes=(change, held), notes=(evil,))
    text = render_plans([stray_plan], full=True)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "##[" not in text
    assert all(not line.lstrip().startswith("::") for line in text.splitlines())


def test_paint_only_adds_to_the_text() -> None:
    painted = render_plans([PLAN], paint=lambda role, text: f"<{role}>{text}</{role}>")
    for role in ("delete", "held", "drift", "create", "update", "replace", "adopt", "heading"):
        assert f"<{role}>" in painted
        painted = painted.replace(f"<{role}>", "").replace(f"</{role}>", "")
    assert painted == render_plans([PLAN])


def test_the_delta_names_what_is_new_and_what_is_gone() -> None:
    approved = change_lines([replace(PLAN, changes=(samples.DELETE, samples.ADOPT))])
    text = delta(approved, [replace(PLAN, changes=(samples.DRIFT, samples.ADOPT, samples.HELD))])
    assert text == (
        "  new since approval   ~ update  Service/analytics/ingest   service.replicas 9 -> 3   drift\n"
        "  no longer planned    - delete  Workflow/analytics/old-load\n"
    )


def test_a_large_create_says_how_much_it_hides() -> None:
    fields = tuple(samples.field(f"f{n}", samples.FieldOp.ADD, after=n) for n in range(9))
    for count, hint in ((8, False), (9, True)):
        plan: Plan = replace(PLAN, changes=(replace(samples.CREATE, fields=fields[:count]),))
        assert ("1 more (--full)" in render_plan(plan)) is hint


def test_a_create_of_nested_members_shows_their_leaves() -> None:
    workflow = {"schedule": {"cron": "0 6 * * 1"}, "dag": [{"name": f"step-number-{n}"} for n in range(4)], "empty": {}}
    change = replace(samples.CREATE, fields=(samples.field("workflow", samples.FieldOp.ADD, after=workflow),))
    text = render_plan(replace(PLAN, changes=(change,)))
    assert 'workflow.schedule.cron "0 6 * * 1" · workflow.dag 4 items · workflow.empty {} (--full)\n' in text


def test_what_rules_say_stands_below_the_changes_what_stops_something_first() -> None:
    lines = render_plan(samples.JUDGED).splitlines()
    assert [line for line in lines if line.startswith(("policy", "           fix"))] == [
        "policy     friday denies Workflow/old-load: nobody deletes on a Friday",
        "           fix: wait until Monday",
        "policy     night holds Workflow/daily-etl: later",
        'policy     tagged warns of Workflow/weekly-report: it has no tag (could not be evaluated: no member "tags")',
    ]
    assert "      why    nobody deletes on a Friday (rule friday)" in lines
