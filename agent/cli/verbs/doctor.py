"""``datakeel doctor``: is all well around the agent, and what is true of the platforms that no document tells?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from agent.cli.doctoring.examine import Report
    from agent.cli.examining import TargetState
    from agent.config.model import Config
    from agent.model.examined import Finding

NAME = "doctor"
SUMMARY = "examine configuration, git, credentials, platforms and state; say that the state was set back"
GROUP = "Look"
RANK = 9
EXAMPLE = "datakeel doctor"
CALLS_MAX = 60
_FORMATS = ("text", "json")


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_common, add_target, positive

    parser.add_argument("--no-network", action="store_true", help="ask no platform and no repository")
    parser.add_argument(
        "--max-calls",
        type=positive,
        default=CALLS_MAX,
        metavar="N",
        help=f"ask each target at most so often (default: {CALLS_MAX})",
    )
    parser.add_argument("--record", metavar="DIR", help="keep answers there as samples, without secrets")
    parser.add_argument(
        "--after-failover",
        action="store_true",
        help="the store has lost its newest commits: end all leases, read everything again, hold deletes meanwhile",
    )
    add_target(parser)
    add_common(parser, _FORMATS, selecting=False)


def run(arguments: Namespace) -> int:
    """Exit 0; 1 when something does not work; 78 when the configuration or a credential is wrong."""
    import sys

    from agent.cli import examining, shared
    from agent.cli.doctoring.examine import examine, examine_platforms
    from agent.cli.output import write_outputs
    from agent.cli.progress import Progress
    from agent.errors import UsageError

    config, options = shared.config_of(arguments), shared.options_of(arguments)
    network = not (arguments.no_network or arguments.after_failover)
    if arguments.after_failover:
        if arguments.target:
            raise UsageError("--after-failover and --target exclude each other: one store has all targets")
        examining.set_back(config, options)
    outputs = shared.outputs_of(arguments, _FORMATS)
    paint = shared.paint_of(arguments, to_file=outputs[0].file is not None)
    report = examine(config, options, shared.working_folder(), network=network)
    if network:
        from pathlib import Path

        line = Progress(quiet=arguments.quiet)
        record = Path(arguments.record) if arguments.record else None
        try:
            shared.run_async(examine_platforms(config, options, report, arguments.max_calls, record, line.tell))
        finally:
            line.close()
    elif not arguments.after_failover:
        from agent.cli.doctoring.memory import remembered

        report.findings += remembered(config)

    def text() -> str:
        from agent.report.doctor_text import examined_text

        settings = _settings(config) if arguments.verbose else ""
        return examined_text(report.findings, report.calls, paint) + settings

    def as_json() -> str:
        from agent.report.documents import dump_document

        return dump_document(_document(config, report))

    write_outputs(outputs, {"text": text, "json": as_json})
    sys.stdout.flush()
    return status_of(report.findings, standing=not arguments.after_failover)


def status_of(findings: Sequence[Finding], *, standing: bool = True) -> int:
    """The worst of the findings. Without ``standing`` a target that no agent has come to is nothing to fail for."""
    from agent.errors import EXIT_CONFIG, EXIT_DONE, EXIT_FAILED

    bad = [each for each in findings if each.state == "bad" and (standing or each.check != "agent")]
    if any(each.configuration for each in bad):
        return EXIT_CONFIG
    return EXIT_FAILED if bad else EXIT_DONE


def _settings(config: Config) -> str:
    from agent.cli.doctoring.around import settings
    from agent.report.escape import clean

    rows = settings(config)
    wide = max((len(name) for name, _ in rows), default=0)
    return "\nsettings\n" + "".join(f"  {clean(name, 200):<{wide}}  {clean(place, 200)}\n" for name, place in rows)


def _document(config: Config, report: Report) -> dict[str, Any]:
    from agent.cli.doctoring.around import settings

    checks = [
        {"check": each.check, "state": each.state, "said": each.said}
        | ({"target": each.subject} if each.subject else {})
        | ({"fix": each.fix} if each.fix is not None else {})
        | ({"facts": dict(each.facts)} if each.facts else {})
        for each in report.findings
    ]
    document: dict[str, Any] = {"format": "datakeel.doctor/1", "checks": checks, "calls": report.calls}
    document["settings"] = dict(settings(config))
    found = report.state
    if found is not None:
        document |= {"state": found.place, "shared": found.shared, "clock_ahead_seconds": found.ahead_seconds}
        document |= {"hints": found.hints, "targets": [_target(each) for each in found.targets]}
    return document


def _target(each: TargetState) -> dict[str, Any]:
    words: dict[str, Any] = {"target": each.name, "open_calls": each.open_calls, "set_back": each.doubted}
    if each.standing is not None:
        words["lease"] = {
            "holder": each.standing.holder,
            "home": each.standing.home,
            "epoch": each.standing.epoch,
            "lasts_seconds": max(0.0, each.standing.lasts),
            "due_in_seconds": each.standing.due_in,
            "forsaken": each.forsaken,
        }
    return words
