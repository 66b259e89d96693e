"""``datakeel run``: the agent itself, until a signal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from agent.config.model import Address

NAME = "run"
SUMMARY = "follow the repository and keep the platforms in step"
GROUP = "Change"
RANK = 3
EXAMPLE = "datakeel run --config /etc/datakeel/datakeel.yaml"


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_common

    parser.add_argument("--once", action="store_true", help="one pass over every target, then end")
    for option, serves, default in (
        ("--listen", "pages and take webhooks in", "server.listen, else 127.0.0.1:8642"),
        ("--probes", "health and metrics", "server.probes, else 127.0.0.1:8643"),
    ):
        told = f"serve {serves} at HOST:PORT, or `off` (default: {default})"
        parser.add_argument(option, metavar="ADDRESS", help=told)
    parser.add_argument("--log", choices=("auto", "json", "console"), default="auto", help="form of the log lines")
    add_common(parser, (), selecting=True)


def run(arguments: Namespace) -> int:
    """Exit 143 after a clean stop by SIGTERM, 130 by SIGINT; 0 or 1 with ``--once``."""
    from agent.cli import logging, running, shared
    from agent.viewing.tail import Tail

    options = shared.options_of(arguments, addresses=_addresses(arguments))
    config = shared.config_of(arguments)
    tail = Tail()
    logging.configure(verbose=options.verbose, quiet=options.quiet, form=arguments.log, keep=tail.take)
    return shared.run_async(running.run_agent(config, options, lambda: shared.config_of(arguments), tail))


def _addresses(arguments: Namespace) -> dict[str, Address | None]:
    """The addresses that the command line gives, by their word in the configuration."""
    from agent.config.listen import OFF, address_of
    from agent.errors import UsageError

    given = {word: getattr(arguments, word) for word in ("listen", "probes")}
    found: dict[str, Address | None] = {}
    for word, text in given.items():
        if text is None:
            continue
        if arguments.once:
            raise UsageError(f"--{word} and --once exclude each other", fix="one pass serves nothing")
        found[word] = None if text == OFF else address_of(text)
        if found[word] is None and text != OFF:
            raise UsageError(f"--{word} {text}: not an address and a port", fix=f"--{word} 127.0.0.1:8642")
    return found
