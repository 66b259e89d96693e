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
    parser.add_argument(
        "--listen", metavar="ADDRESS", help="take webhooks in at HOST:PORT (default: server.listen, else nowhere)"
    )
    parser.add_argument("--log", choices=("auto", "json", "console"), default="auto", help="form of the log lines")
    add_common(parser, (), selecting=True)


def run(arguments: Namespace) -> int:
    """Exit 143 after a clean stop by SIGTERM; 0 or 1 with ``--once``."""
    from agent.cli import logging, shared, wiring

    options = shared.options_of(arguments, listen=_address(arguments))
    config = shared.config_of(arguments)
    logging.configure(verbose=options.verbose, quiet=options.quiet, form=arguments.log)
    return shared.run_async(wiring.run_agent(config, options))


def _address(arguments: Namespace) -> tuple[str, int] | None:
    from agent.config.listen import address_of
    from agent.errors import UsageError

    if arguments.listen is None:
        return None
    if arguments.once:
        raise UsageError("--listen and --once exclude each other", fix="one pass takes no webhooks in")
    address = address_of(arguments.listen)
    if address is None:
        raise UsageError(f"--listen {arguments.listen}: not an address and a port", fix="--listen 127.0.0.1:8642")
    return address
