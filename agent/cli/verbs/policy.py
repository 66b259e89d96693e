"""``datakeel policy test`` runs the tests of rules over the plan, ``policy check --plan FILE`` holds the rules against
a plan file. Both offline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

NAME = "policy"
SUMMARY = "test the rules over the plan, or hold them against a plan file"
GROUP = "More"
RANK = 3
EXAMPLE = "datakeel policy test policy/"
_FORMATS = ("text", "json", "junit")


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_common

    parser.add_argument("what", choices=("test", "check"), metavar="test|check", help="run tests, or judge a plan file")
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="test: files or folders with *.test.yaml; default: here"
    )
    parser.add_argument("--plan", metavar="FILE", help="check: what `datakeel diff -o json=FILE` wrote")
    parser.add_argument(
        "--author", metavar="EMAIL", help="check: who wrote the commit; default: as the repository says"
    )
    parser.add_argument("--now", metavar="MOMENT", help="check: the moment, 2026-03-06T18:30+01:00; default: now")
    add_common(parser, _FORMATS)


def run(arguments: Namespace) -> int:
    """Exit 0; ``test``: 1 when one fails; ``check``: 4 when a rule denies; 78 for a mistake in rules or tests."""
    from agent.cli import shared
    from agent.errors import UsageError

    outputs = shared.outputs_of(arguments, _FORMATS)
    if arguments.what == "check" and arguments.paths:
        raise UsageError("policy check takes no path", fix="datakeel policy check --plan plan.json")
    if arguments.what == "test" and any((arguments.plan, arguments.author, arguments.now)):
        raise UsageError("--plan, --author and --now are options of policy check", fix="a test file says them itself")
    to_file = not any(output.file is None and output.format == "text" for output in outputs)
    paint = shared.paint_of(arguments, to_file=to_file)
    return _test(arguments, outputs, paint) if arguments.what == "test" else _check(arguments, outputs, paint)


def _test(arguments: Namespace, outputs: Any, paint: Any) -> int:
    from functools import cache, partial

    from agent.cli import shared
    from agent.cli.output import write_outputs
    from agent.cli.policy_tests import document_of, tested
    from agent.report.policy_tests import render_junit, render_tests

    config = cache(partial(shared.config_of, arguments))
    document = document_of(tested(arguments.paths, shared.working_folder(), config))
    write_outputs(
        outputs,
        {"text": lambda: render_tests(document, paint=paint), "junit": lambda: render_junit(document)},
        lambda: document,
    )
    return int(document["exit_status"])


def _check(arguments: Namespace, outputs: Any, paint: Any) -> int:
    import time

    from agent.cli import shared
    from agent.cli.output import write_outputs
    from agent.cli.policy_check import moment_of, plan_path, verdicts_on
    from agent.cli.policy_tests import plan_document
    from agent.errors import EXIT_DONE, EXIT_REFUSED
    from agent.report.policy_check import check_document, render_check

    plan = plan_document(plan_path(arguments.plan, shared.working_folder()))
    at = moment_of(arguments.now, time.time())
    changes, rules, verdicts = verdicts_on(plan, shared.config_of(arguments), at, arguments.author)
    denied = any(verdict.effect.value == "deny" for verdict in verdicts)
    status = EXIT_REFUSED if denied else EXIT_DONE
    document = check_document(plan, verdicts, changes=changes, rules=rules, exit_status=status)
    write_outputs(outputs, {"text": lambda: render_check(document, paint=paint)}, lambda: document)
    return status
