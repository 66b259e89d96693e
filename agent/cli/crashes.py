"""What is told of a mistake of ours, wherever it surfaces: never a value of a variable, never a known secret.

Python has five doors for an exception that nothing expected: the main thread's, another thread's, one that cannot be
raised, one of a task of the event loop, and a log record that nobody handles. Used by ``main`` and ``shared``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    import logging
    from types import TracebackType


class Crash:
    """What Python calls for an exception that nothing expected: one sentence, and the traceback where asked for.

    The interpreter ends with status 1 afterwards, which is the status for such a failure.
    """

    def __init__(self, json_wanted: str, *, verbose: bool) -> None:
        self._json_wanted = json_wanted
        self._verbose = verbose

    def __call__(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        import traceback

        from agent.cli.output import print_error, scrubbed
        from agent.errors import AgentError

        text = "".join(traceback.format_exception(kind, error, trace))
        fix = "run again with -v and report what it prints"
        if self._verbose:
            sys.stderr.write(scrubbed(text))
        else:
            log = _crash_log(text)
            fix = f"report the file {log}; it holds no secret that datakeel knows" if log else fix
        told = AgentError(f"this is a mistake in datakeel: {kind.__name__} in {_place(trace)}", fix=fix)
        print_error(told, json_wanted=self._json_wanted)


def _place(trace: TracebackType | None) -> str:
    """Function and line of our own code where it happened."""
    place = "an unknown place"
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        if module.startswith("agent."):
            place = f"{module}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _crash_log(text: str) -> str | None:
    import tempfile

    from agent.cli.output import scrubbed

    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", prefix="datakeel-crash-", suffix=".txt", delete=False
        ) as file:
            file.write(scrubbed(text))
        return file.name
    except OSError:
        return None


def guard_threads_and_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Everything that Python and asyncio would print by themselves passes the scrubber from now on.

    Called for each verb that runs an event loop; what goes to a configured log has the chain of ``logging`` before it.
    """
    import logging
    import threading

    threading.excepthook = lambda told: _print(
        f"a thread ended by a mistake in datakeel: {told.exc_type.__name__}", told.exc_value
    )
    sys.unraisablehook = lambda told: _print(told.err_msg or "an error that could not be raised", told.exc_value)
    logging.lastResort = _scrubbing_handler()
    loop.set_exception_handler(_on_error_of_a_task)


def _on_error_of_a_task(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    import logging

    if logging.getLogger().handlers:
        loop.default_exception_handler(context)
    else:
        _print(str(context.get("message")), context.get("exception"))


def _print(what: str, error: BaseException | None) -> None:
    import traceback

    from agent.cli.output import scrubbed

    sys.stderr.write(scrubbed("".join([what, "\n", *(traceback.format_exception(error) if error else ())])))


def _scrubbing_handler() -> logging.Handler:
    import logging

    from agent.cli.output import scrubbed

    class Scrubbing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            sys.stderr.write(scrubbed(self.format(record)) + "\n")

    return Scrubbing(logging.WARNING)
