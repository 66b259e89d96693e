"""``datakeel apply``: plan, confirm, send, and tell what happened. Reads commits only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable

    from agent.cli.options import Options, TargetPlan

NAME = "apply"
SUMMARY = "make live what the repository says"
GROUP = "Change"
RANK = 2
EXAMPLE = "datakeel apply --expect p1-8f3a91c24be07d5566e1c09a2f7b3d18"


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_common, digest_word, positive

    parser.add_argument("--expect", type=digest_word, metavar="DIGEST", help="apply exactly the plan with this digest")
    parser.add_argument("--plan", metavar="FILE", help="apply exactly the plan that `diff -o json=FILE` wrote")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--confirm-deletes",
        type=positive,
        metavar="N",
        help="lift the limit once, for exactly N deletes; needs a digest",
    )
    parser.add_argument(
        "--confirm-changes",
        type=positive,
        metavar="N",
        help="lift the limits once, for exactly N updates and creates; needs a digest",
    )
    parser.add_argument(
        "--ignore-windows", action="store_true", help="write now, though the target's windows are closed"
    )
    parser.add_argument(
        "--base",
        metavar="REV",
        help="apply only what lies between this revision and the other, as diff --base shows it",
    )
    parser.add_argument("--revision", metavar="REV", help="apply this commit, branch or tag")
    parser.add_argument("--fresh", action="store_true", help="believe no remembered read")
    parser.add_argument(
        "--max-calls", type=positive, metavar="N", help="refuse a plan that may need more calls than this"
    )
    add_common(parser, _formats())


def _formats() -> tuple[str, ...]:
    """Those of every verb, and a line an event while it happens."""
    from agent.cli.output import FORMATS

    return (*FORMATS, "jsonl")


def run(arguments: Namespace) -> int:
    """Exit 0, 1, 3, 4 or 5, as the report says."""
    import os
    import time

    from agent.cli import logging, shared, wiring
    from agent.cli.exits import status_of_reports
    from agent.cli.output import write_outputs
    from agent.cli.streaming import Stream
    from agent.errors import UsageError
    from agent.report.documents import report_document
    from agent.report.outcome_text import render_reports

    outputs, settings = shared.outputs_of(arguments, _formats()), shared.settings_of(arguments)
    options, approved = _options(arguments)
    if options.expect is None and not options.yes and not shared.is_interactive(os.environ):
        raise UsageError(
            "nobody can be asked here: apply needs --expect DIGEST, --plan FILE or --yes",
            fix="datakeel diff prints the digest",
        )
    for word in ("confirm_deletes", "confirm_changes"):
        if getattr(options, word) is not None and options.expect is None:
            flag = f"--{word.replace('_', '-')}"
            raise UsageError(f"{flag} needs --expect DIGEST or --plan FILE", fix="datakeel diff prints the digest")
    config = shared.config_of(arguments)
    logging.configure(verbose=options.verbose, quiet=True)
    stream = Stream(outputs, time.time)
    stream.started(options.targets or tuple(config.targets))

    def confirm(plans: tuple[TargetPlan, ...]) -> bool:
        stream.planned(plans)
        return _confirm(plans, options, approved, arguments)

    reports = shared.run_async(
        wiring.apply_plans(config, options, confirm=confirm, tell=stream.ended, begin=stream.begins)
    )
    to_file = not any(output.file is None and output.format == "text" for output in outputs)
    status = status_of_reports(reports)
    stream.finished(reports, status)
    write_outputs(
        outputs,
        {
            "text": lambda: render_reports(reports, paint=shared.paint_of(arguments, to_file=to_file)),
            "jsonl": lambda: stream.text,
        },
        lambda: report_document(reports, exit_status=status),
        settings,
        stream.told,
    )
    return status


def _options(arguments: Namespace) -> tuple[Options, list[str]]:
    """The options, with what a plan file remembers, and the change lines that it approved."""
    from pathlib import Path

    from agent.cli import shared
    from agent.errors import UsageError

    options = shared.options_of(arguments)
    if arguments.plan is None:
        return options, []
    if arguments.expect is not None:
        raise UsageError("--plan and --expect exclude each other", fix="the plan file holds the digest")
    from dataclasses import replace

    from agent.cli.options import Selector
    from agent.cli.plan_file import read_plan_file

    file = read_plan_file(Path(arguments.plan))
    options = replace(
        options,
        expect=file.digest,
        plan_file=Path(arguments.plan),
        base=options.base or file.base,
        targets=options.targets or file.targets,
        only=options.only or tuple(Selector.parse(text) for text in file.only),
    )
    return options, file.lines


def _confirm(
    plans: tuple[TargetPlan, ...],
    options: Options,
    approved: list[str],
    arguments: Namespace,
    ask: Callable[[], str] = input,
) -> bool:
    """May these plans be sent? With nothing to send, the approved digest, ``--yes``, or a person's yes to ``ask``."""
    import os
    import sys

    from agent.cli.output import scrubbed
    from agent.cli.style import paint_for
    from agent.cli.verbs.diff import text_of
    from agent.model.change import digest_of

    made = tuple(one.plan for one in plans if one.plan is not None)
    if not any(plan.writes for plan in made):
        return True
    if options.expect is not None:
        _require_digest(digest_of(made), made, options.expect, approved)
        return True
    paint = paint_for(sys.stderr, arguments.color, os.environ)
    if not options.quiet:
        sys.stderr.write(scrubbed(text_of(plans, paint, full=False, next_verb="")))
    if options.yes:
        return True
    sys.stderr.write(f"apply these {sum(len(plan.writes) for plan in made)} changes? [y/N] ")
    sys.stderr.flush()
    try:
        return ask().strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _require_digest(now: str, made: tuple[object, ...], expected: str, approved: list[str]) -> None:
    if now == expected:
        return
    import sys

    from agent.cli.output import scrubbed
    from agent.errors import Refused
    from agent.model.change import Plan
    from agent.report.text import change_lines, delta

    plans = [plan for plan in made if isinstance(plan, Plan)]
    told = (
        delta(approved, plans)
        if approved
        else "".join(f"  planned now          {each}\n" for each in change_lines(plans))
    )
    sys.stderr.write(scrubbed(told))
    raise Refused(
        f"this is not the approved plan (approved {expected}, now {now})",
        code="stale-digest",
        fix=f"look at what datakeel diff shows now, then  datakeel apply --expect {now}",
    )
