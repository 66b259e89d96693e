"""Logs: one JSON object a line for programs, short lines for a terminal; both without secrets and without tricks.

Imported by ``run`` and ``apply`` only. Order of the chain: context, redact by field, scrub known secrets, escape,
render. The standard library's loggers (uvicorn, alembic) pass through the same chain. Lines go through a bounded queue
and one writer thread, so that a blocked sink never stops the loop: lines are dropped and counted instead.
"""

from __future__ import annotations

import atexit
import json
import logging
import queue
import sys
import threading
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, TextIO

import structlog
from structlog.tracebacks import ExceptionDictTransformer

from agent.cli.output import scrubbed
from agent.model.secret_names import is_secret_name
from agent.report.escape import clean_lines, clean_members
from agent.secrets import mask_url

if TYPE_CHECKING:
    from collections.abc import Callable

QUEUE_LINES_MAX = 10_000
_FIRST = ("ts", "level", "event")

Event = MutableMapping[str, Any]
_writers: list[QueuedWriter] = []


class QueuedWriter:
    """Writes lines to a stream from its own thread. ``write`` never waits."""

    def __init__(self, stream: TextIO, lines_max: int = QUEUE_LINES_MAX) -> None:
        self.dropped = 0
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(lines_max)
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Hand over one line, or count it as dropped."""
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self.dropped += 1

    def close(self, timeout: float = 2.0) -> None:
        """Write what is left, for a while; a blocked stream is left alone."""
        try:
            self._lines.put(None, timeout=timeout)
        except queue.Full:
            return
        self._thread.join(timeout)

    def _run(self) -> None:
        told = 0
        while (line := self._lines.get()) is not None:
            try:
                if self.dropped > told:
                    told = self.dropped
                    self._stream.write(f'{{"event":"log.dropped","level":"warning","lines":{told}}}\n')
                self._stream.write(line + "\n")
                if self._lines.empty():
                    self._stream.flush()
            except (OSError, ValueError):
                self.dropped += 1  # the reader is gone, or the stream is closed


class _QueueLogger:
    """What structlog prints through."""

    def __init__(self, writer: QueuedWriter) -> None:
        self.msg = writer.write

    log = debug = info = warn = warning = error = critical = exception = fatal = failure = lambda self, line: self.msg(
        line
    )


class _QueueHandler(logging.Handler):
    """What the standard library's loggers write through."""

    def __init__(self, writer: QueuedWriter) -> None:
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        self._writer.write(self.format(record))


def configure(
    *,
    verbose: bool = False,
    quiet: bool = False,
    form: str = "auto",
    stream: TextIO | None = None,
    keep: Callable[[Mapping[str, Any]], None] | None = None,
) -> QueuedWriter:
    """Set up structlog and the standard library's logging, once a process, before the first line.

    ``keep`` is given each line as it is printed, before it becomes text.
    """
    stream = stream or sys.stderr
    as_json = form == "json" or (form == "auto" and not stream.isatty())
    level = logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO
    writer = QueuedWriter(stream)
    before = _context()
    after = _rendering(as_json, keep)
    structlog.configure(
        processors=[*before, *after],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _QueueLogger(writer),
        cache_logger_on_first_use=False,
    )
    handler = _QueueHandler(writer)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *after],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.INFO))
    for name in ("httpx", "httpcore", "git", "watchfiles", "sqlalchemy", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)  # their detail holds addresses and statements
    atexit.register(writer.close)
    _writers[:] = [writer]
    return writer


def flush() -> None:
    """Write what is left, before an end that asks nobody."""
    for writer in _writers:
        writer.close()


def warn_of_loss(state: str) -> None:
    """The store is in memory or in a container's own layer: after its loss only marks tell what is ours."""
    fix = "keep `state` on a volume that outlives the container"
    structlog.get_logger("datakeel.store").warning("store.ephemeral", state=mask_url(state), fix=fix)


def redact_fields(logger: Any, method: str, event: Event) -> Event:
    """Fields whose name says secret show ``***``, whatever they hold."""
    for name in event:
        if is_secret_name(name) and name not in ("event", "message"):
            event[name] = "***"
    return event


def scrub_fields(logger: Any, method: str, event: Event) -> Event:
    """Known secrets in any encoding, and token-shaped words, out of every text."""
    for name, value in event.items():
        event[name] = _scrubbed(value)
    return event


def escape_fields(logger: Any, method: str, event: Event) -> Event:
    """Control and bidirectional characters of foreign text made visible."""
    for name, value in event.items():
        if name == "exception" and isinstance(value, str):
            event[name] = "\n".join(clean_lines(value, "  | "))
        else:
            event[name] = clean_members(value)
    return event


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return scrubbed(value)
    if isinstance(value, dict):
        return {key: _scrubbed(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed(member) for member in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return scrubbed(str(value))


def _context() -> list[Callable[..., Any]]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
    ]


def _rendering(as_json: bool, keep: Callable[[Mapping[str, Any]], None] | None) -> list[Callable[..., Any]]:
    if as_json:
        transformer = ExceptionDictTransformer(show_locals=False, max_frames=30)
        exceptions: list[Callable[..., Any]] = [structlog.processors.ExceptionRenderer(transformer)]
        render: Callable[..., Any] = _render_json
    else:
        exceptions = [structlog.processors.format_exc_info]
        render = _render_console
    kept = [] if keep is None else [_keeping(keep)]
    return [*exceptions, redact_fields, scrub_fields, escape_fields, *kept, render]


def _keeping(keep: Callable[[Mapping[str, Any]], None]) -> Callable[..., Any]:
    """A step of the chain that shows each line to ``keep`` and lets it go on as it is."""

    def kept(logger: Any, method: str, event: Event) -> Event:
        keep(event)
        return event

    return kept


def _render_json(logger: Any, method: str, event: Event) -> str:
    ordered = {name: event[name] for name in _FIRST if name in event}
    ordered |= {name: value for name, value in event.items() if name not in ordered and not name.startswith("_")}
    return json.dumps(ordered, ensure_ascii=False, default=str)


def _render_console(logger: Any, method: str, event: Event) -> str:
    """``14:02:11 pass.finished  target=analytics applied=8``: fixed word, then facts."""
    at = str(event.pop("ts", ""))[11:19]
    level = str(event.pop("level", "info"))
    trace = event.pop("exception", None)
    name = str(event.pop("event", ""))
    facts = " ".join(f"{key}={_fact(value)}" for key, value in event.items() if not key.startswith("_"))
    mark = "" if level in ("info", "debug") else f"{level} "
    line = f"{at} {mark}{name:<14} {facts}".rstrip()
    return f"{line}\n{trace}" if trace else line


def _fact(value: Any) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if " " in text or text == "" else text
