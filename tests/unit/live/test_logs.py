"""Lines of a log, told once and safe to print."""

from __future__ import annotations

from typing import Any

from agent.live.logs import LogLine, _overlap, follow, lines_of
from tests.unit.live.made_up import KEY, RESOURCE, VirtualClock

assert RESOURCE.logs is not None
RULE = RESOURCE.logs


def line(text: str) -> LogLine:
    return LogLine("t", "INFO", text, "")


def test_lines_are_read_by_the_definition_and_made_printable() -> None:
    body = {
        "logs": [{"timestamp": "t", "level": "INFO", "message": "\x1b[2Jred\n::error::"}, "bare", {"message": {"a": 1}}]
    }
    assert lines_of(RULE, body) == (
        LogLine("t", "INFO", "\\u001b[2Jred ::error::", ""),
        LogLine("", "", "bare", ""),
        LogLine("", "", '{"a":1}', ""),
    )


def test_secrets_are_scrubbed_from_lines() -> None:
    assert lines_of(RULE, {"logs": ["token=abc"]}, lambda text: text.replace("abc", "***")) == (
        LogLine("", "", "token=***", ""),
    )


def test_no_list_is_no_log() -> None:
    assert lines_of(RULE, {"logs": None}) is None
    assert lines_of(RULE, {"logs": []}) == ()


def test_the_overlap_of_two_polls_is_found() -> None:
    a, b, c, d = (line(text) for text in "abcd")
    assert _overlap((), (a, b)) == 0
    assert _overlap((a, b), (a, b)) == 2
    assert _overlap((a, b, c), (b, c, d)) == 2
    assert _overlap((a, b), (c, d)) == 0
    assert _overlap((a, a), (a, a, a)) == 3
    assert _overlap((a, b), (b, d)) == 1


async def test_following_tells_each_line_once() -> None:
    polls = iter([("a", "b"), ("a", "b"), ("b", "c"), (), ("c", "d")])

    class Polled:
        async def logs(self, *asked: Any) -> tuple[LogLine, ...]:
            return tuple(line(text) for text in next(polls))

    told: list[str] = []
    async with VirtualClock().running() as clock:
        async for found in follow(Polled(), RESOURCE, KEY, None, {}, clock):  # type: ignore[arg-type]
            told.append(found.text)
            if found.text == "d":
                break
        assert clock.elapsed == 20
    assert told == ["a", "b", "c", "d"]
