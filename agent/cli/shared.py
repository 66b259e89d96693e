"""What most verbs have alike: common flags, options from parsed words, the configuration, running a coroutine."""

from __future__ import annotations

import os
import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from agent.cli.output import Output, parse_outputs
from agent.errors import UsageError

if TYPE_CHECKING:
    from argparse import _ArgumentGroup

    from agent.cli.options import Options
    from agent.config.model import Config
    from agent.report.formats import Settings

EXIT_TERMINATED = 143
_Result = TypeVar("_Result")


def add_common(parser: ArgumentParser, formats: Sequence[str], *, selecting: bool = True) -> None:
    """``--config -o -q -v --color`` and, where resources can be chosen, ``--target --only``."""
    common = parser.add_argument_group("common options")
    common.add_argument("--config", metavar="FILE", help="configuration (default: datakeel.yaml here or above)")
    add_schemas(common)
    if selecting:
        add_target(common)
        common.add_argument(
            "--only",
            action="append",
            default=[],
            metavar="SELECTOR",
            help="Kind, Kind/name or path:GLOB; a leading ! excludes; repeatable",
        )
    add_printing(common, formats)


def add_target(parser: ArgumentParser | _ArgumentGroup) -> None:
    """``--target``, also for verbs that choose no resources."""
    parser.add_argument("--target", action="append", default=[], metavar="NAME", help="only this target; repeatable")


def add_printing(common: ArgumentParser | _ArgumentGroup, formats: Sequence[str]) -> None:
    """``-o -q -v --color``: how results and progress are told."""
    if formats:
        common.add_argument(
            "-o",
            "--output",
            action="append",
            default=[],
            metavar="FORMAT[=FILE]",
            help=f"{', '.join(formats)}; repeatable, all but one with a file",
        )
    if "markdown" in formats:
        common.add_argument(
            "--max-bytes",
            type=positive,
            metavar="N",
            help="markdown: at most this long; details give way (default: 60000)",
        )
    common.add_argument("-q", "--quiet", action="store_true", help="no progress")
    common.add_argument("-v", "--verbose", action="store_true", help="more detail, and tracebacks")
    common.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="colour (default: auto)")


def add_schemas(parser: ArgumentParser | _ArgumentGroup) -> None:
    """``--schemas``, for every verb that may meet a platform of one's own."""
    parser.add_argument(
        "--schemas",
        action="append",
        default=[],
        metavar="DIR",
        help="a folder with platforms of your own, or one of them; repeatable, beside those of the configuration",
    )


def options_of(arguments: Namespace, **more: Any) -> Options:
    """The options of a verb from its parsed words; ``more`` are those that the verb computes itself."""
    from agent.cli.options import FAIL_ON, Options, Selector  # `status` starts without them

    fields: dict[str, Any] = {
        "verb": arguments.verb,
        "targets": tuple(getattr(arguments, "target", ())),
        "only": tuple(Selector.parse(text) for text in getattr(arguments, "only", ())),
        "quiet": arguments.quiet,
        "verbose": arguments.verbose,
    }
    for word in (
        "revision",
        "base",
        "offline",
        "fresh",
        "yes",
        "expect",
        "confirm_deletes",
        "confirm_changes",
        "ignore_windows",
        "detailed_exitcode",
        "max_calls",
        "once",
    ):
        if hasattr(arguments, word):
            fields[word] = getattr(arguments, word)
    if getattr(arguments, "fail_on", None):
        words = [word for part in arguments.fail_on for word in part.split(",")]
        unknown = [word for word in words if word not in FAIL_ON]
        if unknown:
            raise UsageError(f"--fail-on {unknown[0]}: not a word of it", fix=f"words are {', '.join(FAIL_ON)}")
        fields["fail_on"] = frozenset(words)
    return Options(**(fields | more))


def config_of(arguments: Namespace) -> Config:
    """The configuration that the words, the environment and the folder lead to."""
    from agent.config import load_config

    path = Path(arguments.config) if arguments.config else None
    return load_config(path, os.environ, working_folder(), schemas_of(arguments))


def schemas_of(arguments: Namespace) -> list[Path]:
    """The folders that ``--schemas`` names; one that is not there, is empty or clashes is a mistake of usage."""
    folders = [Path(name) for name in arguments.schemas]
    if folders:
        from agent.definitions.extra_folders import faults_of_folders

        for fault in faults_of_folders(folders):
            raise UsageError(f"--schemas {folders[fault.index]}: {fault.what}", why=fault.why, fix=fault.fix)
    return folders


def state_of(arguments: Namespace) -> str:
    """The URL of the state store, found without reading the rest of the configuration."""
    from agent.config.state import find_password, find_state

    path = Path(arguments.config) if arguments.config else None
    url = find_state(path, os.environ, working_folder())
    if url.startswith("sqlite:"):
        return url
    from agent.cli.state import found_state

    return found_state(url, find_password(path, os.environ, working_folder()))


def probes_of(arguments: Namespace) -> str | None:
    """What the configuration says of ``server.probes``, found without reading the rest."""
    from agent.config.state import find_probes

    path = Path(arguments.config) if arguments.config else None
    return find_probes(path, os.environ, working_folder())


def working_folder() -> Path:
    """Where we are; an error in words when that folder is gone."""
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise UsageError("the current folder no longer exists", fix="cd to another one") from error


def outputs_of(arguments: Namespace, formats: Sequence[str]) -> tuple[Output, ...]:
    """The outputs that the words ask for."""
    return parse_outputs(arguments.output, formats)


def settings_of(arguments: Namespace) -> Settings:
    """What the writers of formats may be told on the command line."""
    from agent.report.formats import MAX_BYTES_LEAST, Settings

    if arguments.max_bytes is None:
        return Settings()
    if arguments.max_bytes < MAX_BYTES_LEAST:
        raise UsageError(f"--max-bytes {arguments.max_bytes}: too few for a page", fix=f"at least {MAX_BYTES_LEAST}")
    return Settings(max_bytes=arguments.max_bytes)


def paint_of(arguments: Namespace, *, to_file: bool = False) -> Callable[[str, str], str]:
    """How text for standard output is coloured."""
    from agent.cli.style import paint_for

    return paint_for(sys.stdout, "never" if to_file else arguments.color, os.environ)


def terminal_now() -> float | None:
    """The time, where ages may be told: on a terminal. None elsewhere, so that equal inputs give equal bytes."""
    if not sys.stdout.isatty():
        return None
    import time

    return time.time()


def is_interactive(environ: Mapping[str, str]) -> bool:
    """Whether a person can be asked: a terminal on both sides, and no CI job."""
    return sys.stdin.isatty() and sys.stdout.isatty() and not environ.get("CI")


def positive(text: str) -> int:
    """An argparse type: a whole number, zero or more."""
    from argparse import ArgumentTypeError

    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def digest_word(text: str) -> str:
    """An argparse type: the digest of a plan."""
    from argparse import ArgumentTypeError

    if not re.fullmatch(r"p1-[0-9a-f]{32}", text):
        raise ArgumentTypeError("a digest is p1- and 32 hex digits, as diff prints it")
    return text


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """For what runs without an event loop: SIGTERM closes what is open and ends with 143, also of a container's first
    process, which the kernel would not end.
    """
    import signal
    import threading

    def terminate(_number: int, _frame: object) -> None:
        raise SystemExit(EXIT_TERMINATED)

    if threading.current_thread() is not threading.main_thread():
        yield  # signals are somebody else's there
        return
    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def run_async(coroutine: Coroutine[Any, Any, _Result]) -> _Result:
    """Run to the end. SIGINT and SIGTERM cancel it, so that what is open is closed; SIGTERM then ends with 143."""
    import asyncio
    import signal

    from agent.cli.crashes import guard_threads_and_tasks

    terminated = False

    async def watched() -> _Result | None:
        nonlocal terminated
        task = asyncio.current_task()
        assert task is not None

        def terminate() -> None:
            nonlocal terminated
            terminated = True
            task.cancel()

        loop = asyncio.get_running_loop()
        guard_threads_and_tasks(loop)
        try:
            loop.add_signal_handler(signal.SIGTERM, terminate)
        except RuntimeError:
            terminated = False  # not the main thread: signals are somebody else's there
        try:
            return await _awaited(coroutine)
        except asyncio.CancelledError:
            if terminated:
                return None
            raise

    result = asyncio.run(watched())
    if terminated:
        raise SystemExit(EXIT_TERMINATED)
    return result  # type: ignore[return-value]  # None only when terminated


async def _awaited(awaitable: Awaitable[_Result]) -> _Result:
    return await awaitable
