"""``datakeel run``: the agent itself, until a signal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

NAME = "run"
SUMMARY = "follow the repository and keep the platforms in step"
GROUP = "Change"
RANK = 3
EXAMPLE = "datakeel run --config /etc/datakeel/datakeel.yaml"


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_common

    parser.add_argument("--once", action="store_true", help="one pass over every target, then end")
    parser.add_argument("--log", choices=("auto", "json", "console"), default="auto", help="form of the log lines")
    add_common(parser, (), selecting=True)


def run(arguments: Namespace) -> int:
    """Exit 143 after a clean stop by SIGTERM; 0 or 1 with ``--once``."""
    from agent.cli import logging, shared, wiring

    options = shared.options_of(arguments)
    config = shared.config_of(arguments)
    logging.configure(verbose=options.verbose, quiet=options.quiet, form=arguments.log)
    return shared.run_async(wiring.run_agent(config, options))
