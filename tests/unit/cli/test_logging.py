"""Log lines: JSON or short, without secrets, without tricks, and never in the way."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator

import pytest
import structlog

from agent.cli import logging as keel_logging
from agent.cli import output
from agent.cli.logging import QueuedWriter
from agent.secrets import Redactor, Secret


@pytest.fixture
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    output.forget_secrets()


def lines(stream: io.StringIO, writer: QueuedWriter) -> list[str]:
    writer.close()
    return stream.getvalue().splitlines()


def test_an_event_is_one_json_object_with_its_context(restored: None) -> None:
    stream = io.StringIO()
    writer = keel_logging.configure(stream=stream)
    structlog.contextvars.bind_contextvars(target="analytics")
    structlog.get_logger("x").info("pass.finished", applied=8, nested={"a": [1, "b"]})
    structlog.get_logger("x").debug("hidden")
    (line,) = lines(stream, writer)
    event = json.loads(line)
    assert list(event)[:3] == ["ts", "level", "event"]
    assert event["ts"].endswith("Z")
    assert event | {"ts": ""} == {
        "ts": "",
        "level": "info",
        "event": "pass.finished",
        "target": "analytics",
        "applied": 8,
        "nested": {"a": [1, "b"]},
    }


def test_the_console_form_is_short(restored: None) -> None:
    stream = io.StringIO()
    writer = keel_logging.configure(stream=stream, form="console")
    structlog.get_logger("x").info("pass.finished", target="a", message="two words")
    structlog.get_logger("x").warning("odd")
    first, second = lines(stream, writer)
    assert first[8:] == ' pass.finished  target=a message="two words"'
    assert second[8:] == " warning odd"


def test_other_libraries_pass_through_the_same_chain(restored: None) -> None:
    redactor = Redactor()
    redactor.add(Secret("s3cret-canary"))
    output.use_redactor(redactor)
    stream = io.StringIO()
    writer = keel_logging.configure(stream=stream)
    logging.getLogger("uvicorn").warning("up with %s\x1b", "s3cret-canary")
    logging.getLogger("httpx").info("GET https://example")
    (line,) = lines(stream, writer)
    event = json.loads(line)
    assert (event["event"], event["level"]) == ("up with ***\\x1b", "warning")


def test_secrets_go_by_name_and_by_value(restored: None) -> None:
    redactor = Redactor()
    redactor.add(Secret("s3cret-canary"))
    output.use_redactor(redactor)
    stream = io.StringIO()
    writer = keel_logging.configure(stream=stream)
    structlog.get_logger("x").info(
        "e",
        api_token="anything",
        Authorization="x",
        text="got s3cret-canary",
        deep={"a": ["s3cret-canary"]},
        credential="a",
    )
    event = json.loads(lines(stream, writer)[0])
    assert (event["api_token"], event["Authorization"], event["text"]) == ("***", "***", "got ***")
    assert event["deep"] == {"a": ["***"]}
    assert event["credential"] == "a"


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_shows_no_local_variable(restored: None, form: str) -> None:
    stream = io.StringIO()
    writer = keel_logging.configure(stream=stream, form=form)
    local_value = "canary" + "-in-a-local"
    try:
        raise ValueError("boo\n::error::x")
    except ValueError:
        structlog.get_logger("x").error("failed", exc_info=True)
    text = "\n".join(lines(stream, writer))
    assert "ValueError" in text
    assert local_value not in text
    assert all(not line.lstrip().startswith("::") for line in text.splitlines())


def test_quiet_and_verbose_move_the_level(restored: None) -> None:
    stream = io.StringIO()
    writer = keel_logging.configure(stream=stream, quiet=True)
    structlog.get_logger("x").info("a")
    structlog.get_logger("x").warning("b")
    assert len(lines(stream, writer)) == 1
    stream = io.StringIO()
    writer = keel_logging.configure(stream=stream, verbose=True)
    structlog.get_logger("x").debug("a")
    assert len(lines(stream, writer)) == 1


class Blocked(io.StringIO):
    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.entered = threading.Event()

    def write(self, text: str) -> int:
        self.entered.set()
        self.gate.wait(5)
        return super().write(text)


@pytest.mark.row("L4")
def test_a_blocked_sink_drops_lines_and_says_how_many() -> None:
    stream = Blocked()
    writer = QueuedWriter(stream, lines_max=2)
    writer.write("first")
    assert stream.entered.wait(5)
    writer.write("second")
    writer.write("third")
    assert writer.dropped == 0
    writer.write("fourth")
    assert writer.dropped == 1
    stream.gate.set()
    writer.close()
    assert stream.getvalue().splitlines() == [
        "first",
        '{"event":"log.dropped","level":"warning","lines":1}',
        "second",
        "third",
    ]


def test_a_closed_sink_stops_nothing() -> None:
    stream = io.StringIO()
    stream.close()
    writer = QueuedWriter(stream)
    writer.write("x")
    writer.close()
    assert writer.dropped == 1
