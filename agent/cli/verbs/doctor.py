"""``datakeel doctor``: what the state store tells of itself and of the agents that share it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from agent.cli.examining import StoreState, TargetState

NAME = "doctor"
SUMMARY = "examine the state store and the agents that share it; say that it was set back"
GROUP = "Look"
RANK = 9
EXAMPLE = "datakeel doctor --after-failover"
_FORMATS = ("text", "json")


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_common, add_target

    parser.add_argument(
        "--after-failover",
        action="store_true",
        help="the store has lost its newest commits: end all leases, read everything again, hold deletes meanwhile",
    )
    add_target(parser)
    add_common(parser, _FORMATS, selecting=False)


def run(arguments: Namespace) -> int:
    """Exit 0; 1 when a target waits for an agent that does not come, or the store cannot be asked."""
    import sys

    from agent.cli import examining, shared
    from agent.cli.output import write_outputs
    from agent.errors import UsageError

    config, options = shared.config_of(arguments), shared.options_of(arguments)
    if arguments.after_failover:
        if arguments.target:
            raise UsageError("--after-failover and --target exclude each other: one store has all targets")
        examining.set_back(config, options)
    outputs = shared.outputs_of(arguments, _FORMATS)
    paint = shared.paint_of(arguments, to_file=outputs[0].file is not None)
    found = examining.examine(config, options)

    def text() -> str:
        from agent.report import doctor_text

        head = doctor_text.store_lines(found.place, found.shared, found.ahead_seconds, found.hints, paint)
        return head + "".join(
            doctor_text.target_line(each.name, each.standing, each.open_calls, each.forsaken, each.doubted, paint)
            for each in found.targets
        )

    def as_json() -> str:
        from agent.report.documents import dump_document

        return dump_document(_document(found))

    write_outputs(outputs, {"text": text, "json": as_json})
    sys.stdout.flush()
    return 1 if any(each.forsaken for each in found.targets) and not arguments.after_failover else 0


def _document(found: StoreState) -> dict[str, Any]:
    head = {"format": "datakeel.doctor/1", "state": found.place, "shared": found.shared}
    more = {"clock_ahead_seconds": found.ahead_seconds, "hints": found.hints}
    return head | more | {"targets": [_target(each) for each in found.targets]}


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
