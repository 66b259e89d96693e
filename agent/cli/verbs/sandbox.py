"""``datakeel sandbox``: the platforms' emulator, for trying things out without an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

NAME = "sandbox"
SUMMARY = "run an emulator of a platform on this machine"
GROUP = "Start"
RANK = 2
EXAMPLE = "datakeel sandbox --platform dataos --port 8080 --token try-me"


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import positive

    parser.add_argument("--platform", default="dataos", metavar="NAME", help="what to emulate (default: dataos)")
    parser.add_argument(
        "--host", default="127.0.0.1", metavar="ADDRESS", help="address to listen on (default: loopback)"
    )
    parser.add_argument(
        "--port", type=positive, default=8080, metavar="N", help="port; 0 takes a free one (default: 8080)"
    )
    parser.add_argument("--token", default="sandbox-token", metavar="TEXT", help="the token it accepts (sandbox-token)")
    parser.add_argument("--state", metavar="FILE", help="keep the objects in this file across restarts")
    parser.add_argument("--no-limits", action="store_true", help="no rate limit")
    parser.add_argument("--requests-log", metavar="FILE", help="write one JSON line for each request")
    parser.add_argument("--seed", type=positive, default=0, metavar="N", help="seed of all that is random")
    parser.add_argument("--control", action="store_true", help="offer /_sandbox/… to switch faults on")


def run(arguments: Namespace) -> int:
    """Runs until a signal; exit 0, or 1 when the address is taken."""
    import sys
    from pathlib import Path

    from agent.errors import AgentError, UsageError
    from agent.sandbox.serve import run_sandbox

    def listening(address: str) -> None:
        sys.stdout.write(f"listening on {address} ({arguments.platform})\n")
        sys.stdout.flush()

    if arguments.port > 65535:
        raise UsageError(f"--port {arguments.port}: ports end at 65535")
    try:
        run_sandbox(
            platform=arguments.platform,
            host=arguments.host,
            port=arguments.port,
            token=arguments.token,
            state=Path(arguments.state) if arguments.state else None,
            requests_log=Path(arguments.requests_log) if arguments.requests_log else None,
            limits=not arguments.no_limits,
            seed=arguments.seed,
            on_listening=listening,
            control=arguments.control,
        )
    except OSError as error:
        address = f"{arguments.host}:{arguments.port}"
        raise AgentError(
            f"cannot listen on {address}: {error.strerror}", code="address-taken", fix="choose another --port"
        ) from error
    return 0
