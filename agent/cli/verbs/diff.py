"""``datakeel diff``: what an apply would change, and what it would cost. Sends reads only and never asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from agent.cli.options import Options, TargetPlan
    from agent.errors import AgentError
    from agent.model.unmerged import Unmerged

NAME = "diff"
SUMMARY = "show what would change, and what it costs in calls"
GROUP = "Change"
RANK = 1
EXAMPLE = "datakeel diff --target analytics --detailed-exitcode -o text -o json=plan.json"
_CONFIRMS = ("confirm_deletes", "confirm_changes")


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.output import FORMATS
    from agent.cli.shared import add_common, positive

    parser.add_argument("--revision", metavar="REV", help="plan this commit, branch or tag instead of the working tree")
    parser.add_argument(
        "--base", metavar="REV", help="show only what lies between this revision and the other: a pull request"
    )
    parser.add_argument(
        "--offline", action="store_true", help="with --base: compare the two revisions, without any call or credential"
    )
    parser.add_argument(
        "--snapshot", metavar="FILE", help="plan with what `datakeel snapshot` wrote, without any call or credential"
    )
    parser.add_argument("--fresh", action="store_true", help="believe no remembered read")
    parser.add_argument(
        "--confirm-deletes", type=positive, metavar="N", help="plan as if the limit were lifted for exactly N deletes"
    )
    parser.add_argument(
        "--confirm-changes", type=positive, metavar="N", help="the same for exactly N updates and creates"
    )
    parser.add_argument("--ignore-windows", action="store_true", help="plan as if the target's windows were open")
    parser.add_argument("--full", action="store_true", help="shorten nothing")
    parser.add_argument("--detailed-exitcode", action="store_true", help="end with 2 when changes are pending")
    parser.add_argument(
        "--fail-on", action="append", metavar="WORDS", help="end with 4 on any of delete,replace,drift,held,policy"
    )
    parser.add_argument(
        "--max-calls", type=positive, metavar="N", help="end with 4 when applying may need more calls than this"
    )
    add_common(parser, FORMATS)


def run(arguments: Namespace) -> int:
    """Exit 0, 1 when not everything could be read, 3 when a manifest is invalid; 2 and 4 where asked for."""
    from agent.cli import shared
    from agent.cli.exits import refusals_of, status_of_plans
    from agent.cli.output import FORMATS, tell, write_outputs
    from agent.report.problems import render_problem

    outputs, settings = shared.outputs_of(arguments, FORMATS), shared.settings_of(arguments)
    options = shared.options_of(arguments, worktree=arguments.revision is None)
    plans, unmerged = _plans(arguments, options)
    to_file = not any(output.file is None and output.format == "text" for output in outputs)
    refusals, status = refusals_of(plans, options), status_of_plans(plans, options)
    write_outputs(
        outputs,
        {
            "text": lambda: text_of(
                plans,
                shared.paint_of(arguments, to_file=to_file),
                full=arguments.full,
                next_verb=_apply_of(arguments),
                unmerged=unmerged,
            ),
        },
        lambda: document_of(plans, options, exit_status=status, refusals=refusals, unmerged=unmerged),
        settings,
    )
    for refusal in refusals:
        for line in render_problem(refusal.as_problem()):
            tell(line)
    return status


def _plans(arguments: Namespace, options: Options) -> tuple[tuple[TargetPlan, ...], tuple[Unmerged, ...]]:
    """The plans, and what a proposal changes of the agent itself."""
    from pathlib import Path

    from agent.cli import shared, wiring
    from agent.errors import UsageError

    snapshot = Path(arguments.snapshot) if arguments.snapshot else None
    if options.offline and snapshot is not None:
        raise UsageError("--offline and --snapshot exclude each other", fix="a snapshot needs no connection either")
    if options.offline and options.base is None:
        raise UsageError(
            "--offline compares two revisions", fix="name the older one: datakeel diff --offline --base main"
        )
    if options.base is None and snapshot is not None:
        from agent.cli.snapshots import plan_of_all

        return plan_of_all(shared.config_of(arguments), options, snapshot), ()
    if options.base is None:
        return shared.run_async(wiring.make_plans(shared.config_of(arguments), options)), ()

    from agent.cli.merged import compared
    from agent.cli.proposing import plans_of

    with compared(
        config=Path(arguments.config) if arguments.config else None,
        schemas=shared.schemas_of(arguments),
        base=options.base,
        revision=options.revision,
        offline=options.offline,
        cwd=shared.working_folder(),
    ) as comparison:
        if snapshot is not None:
            from agent.cli.snapshots import plan_by_snapshot, read_snapshot

            config, source, head = comparison.config, comparison.source, comparison.head
            document = read_snapshot(snapshot, config)
            return plan_by_snapshot(config, options, document, source, head, comparison.start), comparison.unmerged
        return shared.run_async(plans_of(comparison, options)), comparison.unmerged


def _apply_of(arguments: Namespace) -> str:
    """The verb that applies this very plan: a digest is that of the same choice of targets, resources and revision."""
    import shlex

    words = ["apply"]
    for name in ("config", "schemas", "target", "only", "base", "revision", *_CONFIRMS, "ignore_windows"):
        given, flag = getattr(arguments, name), f"--{name.replace('_', '-')}"
        if isinstance(given, bool):
            words += [flag] if given else []
        else:
            values = given if isinstance(given, list) else [given] if given is not None else []
            words += [word for value in values for word in (flag, shlex.quote(str(value)))]
    return " ".join(words)


def text_of(
    plans: Sequence[TargetPlan],
    paint: object,
    *,
    full: bool,
    next_verb: str = "apply",
    unmerged: Sequence[Unmerged] = (),
) -> str:
    """What a proposal changes of the agent itself; problems, errors, then the plans of the targets that have one."""
    from agent.cli.shared import terminal_now
    from agent.report.problems import render_problem, render_problems
    from agent.report.text import render_plans
    from agent.report.unmerged_text import render_unmerged

    assert callable(paint)
    head = render_unmerged(unmerged, paint=paint)
    problems = {problem: None for one in plans if one.desired for problem in one.desired.problems}
    text = render_problems(problems, paint=paint)
    for one in plans:
        if one.error is not None:
            lines = render_problem(one.error.as_problem(), paint=paint)
            text += f"{one.target}: no plan\n" + "".join(f"{line}\n" for line in lines)
    made = [one.plan for one in plans if one.plan is not None]
    if text and made:
        text += "\n"
    return head + text + render_plans(made, paint=paint, full=full, next_verb=next_verb, now=terminal_now())


def document_of(
    plans: Sequence[TargetPlan],
    options: Options,
    *,
    exit_status: int = 0,
    refusals: Sequence[AgentError] = (),
    unmerged: Sequence[Unmerged] = (),
) -> dict[str, Any]:
    """The same as one document."""
    from agent.report.documents import plan_document

    problems = {problem: None for one in plans if one.desired for problem in one.desired.problems}
    return plan_document(
        [one.plan for one in plans if one.plan is not None],
        problems=problems,
        merged=[problem for one in plans if one.merged for problem in one.merged.problems],
        errors={one.target: one.error for one in plans if one.error is not None},
        only=[selector.text for selector in options.only],
        exit_status=exit_status,
        refusals=refusals,
        unmerged=unmerged,
    )
