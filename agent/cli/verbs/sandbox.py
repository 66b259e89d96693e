"""``datakeel sandbox``: the platforms' emulators, for trying things out without an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

NAME = "sandbox"
SUMMARY = "run emulators of the platforms on this machine"
GROUP = "Start"
RANK = 2
EXAMPLE = "datakeel sandbox --port 8080 --token try-me"

TOKEN = "sandbox-token"  # noqa: S105 - known to everybody, and opens nothing but an emulator


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import positive

    parser.add_argument(
        "--platform",
        action="append",
        default=[],
        metavar="NAME",
        help="only this one; repeatable (default: all). One alone answers at /, several each below /NAME",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", metavar="ADDRESS", help="address to listen on (default: loopback)"
    )
    parser.add_argument(
        "--port", type=positive, default=8080, metavar="N", help="port; 0 takes a free one (default: 8080)"
    )
    parser.add_argument("--token", default=TOKEN, metavar="TEXT", help=f"the token it accepts ({TOKEN})")
    parser.add_argument("--state", metavar="FILE", help="keep the objects in this file across restarts")
    parser.add_argument("--no-limits", action="store_true", help="no rate limit")
    parser.add_argument("--requests-log", metavar="FILE", help="write one JSON line for each request")
    parser.add_argument("--seed", type=positive, default=0, metavar="N", help="seed of all that is random")
    parser.add_argument("--control", action="store_true", help="offer /_sandbox/… to switch faults on")
    parser.add_argument(
        "--print-config", action="store_true", help="print a datakeel.yaml with a target for each, and end"
    )


def run(arguments: Namespace) -> int:
    """Runs until a signal; exit 0, or 1 when the address is taken."""
    import os
    import sys
    from pathlib import Path

    from agent.errors import AgentError, UsageError
    from agent.sandbox.serve import run_sandbox

    if arguments.port > 65535:
        raise UsageError(f"--port {arguments.port}: ports end at 65535")
    names = _chosen(arguments.platform)
    if arguments.print_config:
        return _print_config(arguments, names)

    def listening(address: str) -> None:
        sys.stdout.write(f"listening on {address} ({', '.join(names)})\n{_targets(names, address, arguments.token)}")
        sys.stdout.flush()

    try:
        run_sandbox(
            platform=names[0] if len(names) == 1 else names,
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
            f"cannot listen on {address}: {os.strerror(error.errno) if error.errno else error}",
            code="address-taken",
            fix="choose another --port",
        ) from error
    return 0


def emulated() -> list[str]:
    """The platforms that there is an emulator of."""
    from agent.sandbox.app import PLATFORMS

    return sorted(PLATFORMS)


def _chosen(asked: Sequence[str]) -> list[str]:
    """The platforms that were asked for, each once; all of them when none was. Raises UsageError for an unknown one."""
    from agent.errors import UsageError
    from agent.validate.findings import nearest

    known = emulated()
    for name in asked:
        if name not in known:
            raise UsageError(
                f"--platform {name}: there is no emulator of it",
                fix=nearest(name, known) or f"one of: {', '.join(known)}",
            )
    return list(dict.fromkeys(asked)) or known


def _print_config(arguments: Namespace, names: Sequence[str]) -> int:
    import sys

    from agent.cli.samples import sample_folder
    from agent.cli.sandbox_targets import config_text, sandbox_targets

    host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
    targets = sandbox_targets(names, f"http://{host}:{arguments.port}", sample_folder())
    if arguments.no_limits:
        targets = {name: {**target, "budget": "off"} for name, target in targets.items()}
    sys.stdout.write(config_text(targets, arguments.token))
    return 0


def _targets(names: Sequence[str], address: str, token: str) -> str:
    """A line for each platform: its name, its server, the variables that its target reads. A token of the user's own is
    not repeated: this output is kept where programs start the sandbox."""
    from agent.cli.samples import sample_folder
    from agent.cli.sandbox_targets import sandbox_targets, variables

    targets = sandbox_targets(names, address, sample_folder())
    names_wide, servers_wide = (
        max(map(len, texts)) for texts in (names, [each["server"] for each in targets.values()])
    )
    lines = [
        f"  {name:<{names_wide}}  {target['server']:<{servers_wide}}  "
        + " ".join(f"{each}={token if token == TOKEN else '…'}" for each in variables(target))
        for name, target in targets.items()
    ]
    return "\n".join(lines) + "\n  datakeel sandbox --print-config prints a datakeel.yaml for them\n"
