"""One table row a test: status, headers and body in, one of ten answers and *landed* out."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from agent import errors
from agent.definitions.expressions import Expression
from agent.definitions.platform import ErrorRule, Exists, ResponseRule
from agent.live.answers import MESSAGE_MAX, Reading, classify, error_of, failed
from agent.secrets import Secret
from agent.secrets.scrub import Redactor

JSON = {"content-type": "application/json"}
DECLARED = ErrorRule(
    Expression("error.code"), Expression("error.message"), {"GONE_AWAY": "notFound", "503": "throttled"}
)
READ = Reading("GET", "/things/{name}", writes=False, errors=DECLARED)
WRITE = replace(READ, method="POST", writes=True)
CREATE = replace(WRITE, exists=Exists())


def error(code: Any = "CODE", message: Any = "why") -> bytes:
    return json.dumps({"error": {"code": code, "message": message}}).encode()


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (400, "invalid"),
        (401, "unauthenticated"),
        (402, "invalid"),
        (403, "denied"),
        (404, "notFound"),
        (405, "invalid"),
        (408, "broken"),
        (409, "conflict"),
        (410, "notFound"),
        (412, "conflict"),
        (413, "invalid"),
        (415, "invalid"),
        (422, "invalid"),
        (423, "conflict"),
        (425, "conflict"),
        (429, "throttled"),
        (500, "broken"),
        (502, "broken"),
    ],
)
def test_each_status_in_the_platforms_own_words_has_its_answer(status: int, answer: str) -> None:
    reply = classify(WRITE, status, JSON, error())
    assert reply.answer == answer
    assert reply.landed == ("unknown" if answer == "broken" else "no")
    assert (reply.code, reply.message) == ("CODE", "why")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422])
@pytest.mark.parametrize("body", [b"<html>not here</html>", b"", b'{"detail": "proxy"}', b'{"error": null}'])
def test_a_refusal_in_foreign_words_is_broken(status: int, body: bytes) -> None:
    reply = classify(WRITE, status, JSON if body.startswith(b"{") else {"content-type": "text/html"}, body)
    assert (reply.answer, reply.landed) == ("broken", "unknown")
    assert "not here" not in reply.message


def test_429_needs_no_proof() -> None:
    reply = classify(WRITE, 429, {"content-type": "text/html"}, b"<html>slow down</html>")
    assert (reply.answer, reply.landed, reply.passing) == ("throttled", "no", True)


def test_without_declared_errors_the_status_alone_decides() -> None:
    reading = replace(READ, errors=ErrorRule())
    assert classify(reading, 404, {}, b"").answer == "notFound"
    assert classify(reading, 418, {}, b"").answer == "broken"


def test_a_mapped_code_and_a_mapped_status_win_over_the_table() -> None:
    assert classify(READ, 400, JSON, error("GONE_AWAY")).answer == "notFound"
    assert classify(READ, 503, JSON, error()).answer == "throttled"


@pytest.mark.parametrize("status", [408, 500, 502])
def test_no_code_makes_a_write_that_a_server_failed_at_a_write_that_did_not_land(status: int) -> None:
    reply = classify(WRITE, status, JSON, error("GONE_AWAY"))
    assert (reply.answer, reply.landed, reply.passing) == ("broken", "unknown", True)
    assert reply.message == "why"
    assert classify(READ, status, JSON, error("GONE_AWAY")).answer == "notFound"
    assert classify(WRITE, 503, JSON, error("GONE_AWAY")).landed == "no"  # the definition speaks of the status itself


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.row("A19")
def test_a_redirect_is_broken_and_names_the_host_only(status: int) -> None:
    headers = {"location": "https://user:pw@evil.example/steal?token=abc"}
    reply = classify(WRITE, status, headers, b"")
    assert (reply.answer, reply.landed) == ("broken", "unknown")
    assert "evil.example" in reply.message
    assert "pw" not in reply.message and "token" not in reply.message


def test_a_redirect_that_echoes_a_secret_in_its_host_does_not_bring_it_out() -> None:
    redactor = Redactor()
    redactor.add(Secret("S3cretToken"))
    reply = classify(replace(WRITE, scrub=redactor.scrub), 302, {"location": "https://S3cretToken.evil.example/"}, b"")
    assert "evil.example" in reply.message
    assert "s3crettoken" not in reply.message.lower()


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-type": "text/html"}, b"<html>login</html>"),
        (JSON, b""),
        (JSON, b'{"a": '),
        (JSON, b'{"a": 1, "a": 2}'),
        (JSON, b'{"a": NaN}'),
        ({"content-type": "application/json; charset=utf-16"}, b"{}"),
        ({"content-type": "application/msgpack"}, b"\x80"),
    ],
)
@pytest.mark.row("A18")
def test_a_success_that_cannot_be_read_is_broken(headers: dict[str, str], body: bytes) -> None:
    assert (classify(READ, 200, headers, body).answer, classify(READ, 200, headers, body).landed) == ("broken", "no")
    assert classify(WRITE, 200, headers, body).landed == "unknown"


def test_a_204_is_good_for_a_write_and_broken_for_a_read() -> None:
    assert (classify(WRITE, 204, {}, b"").answer, classify(WRITE, 204, {}, b"").landed) == ("ok", "yes")
    assert classify(READ, 204, {}, b"").answer == "broken"


def test_an_error_code_in_a_200_is_a_refusal() -> None:
    reply = classify(WRITE, 200, JSON, error("QUOTA"))
    assert (reply.answer, reply.landed, reply.code) == ("invalid", "no", "QUOTA")
    assert classify(WRITE, 200, JSON, b'{"error": null, "name": "a"}').answer == "ok"


ENVELOPE = replace(
    WRITE,
    response=ResponseRule(ok=Expression("status == 'success'"), item=Expression("data")),
    errors=ErrorRule(Expression("error_code"), Expression("message"), {"NOT_FOUND": "notFound"}),
)


@pytest.mark.row("A18")
def test_the_declared_condition_decides_about_a_200() -> None:
    good = classify(ENVELOPE, 200, JSON, b'{"status": "success", "data": {"name": "a"}, "error_code": "odd"}')
    assert (good.answer, good.item) == ("ok", {"name": "a"})
    told = classify(ENVELOPE, 200, JSON, b'{"status": "failed", "error_code": "NOT_FOUND"}')
    assert (told.answer, told.landed) == ("notFound", "no")
    other = classify(ENVELOPE, 200, JSON, b'{"status": "failed", "message": "no"}')
    assert (other.answer, other.landed) == ("invalid", "no")
    mute = classify(ENVELOPE, 200, JSON, b'{"status": "failed"}')
    assert (mute.answer, mute.landed) == ("broken", "unknown")


def test_a_declared_item_that_is_missing_is_another_envelope() -> None:
    reading = replace(WRITE, item=Expression("resource"), must_have_item=True)
    assert classify(reading, 201, JSON, b'{"resource": {"name": "a"}}').item == {"name": "a"}
    assert classify(reading, 201, JSON, b'{"message": "created"}').landed == "unknown"


def test_exists_needs_its_status_and_its_condition() -> None:
    assert classify(CREATE, 409, JSON, error()).answer == "exists"
    taken = replace(WRITE, exists=Exists(frozenset({400}), Expression("contains(error.message, 'taken')")))
    assert classify(taken, 400, JSON, error(message="name is taken")).answer == "exists"
    assert classify(taken, 400, JSON, error(message="bad cron")).answer == "invalid"
    assert classify(taken, 409, JSON, error()).answer == "conflict"


def test_messages_are_cut_cleaned_and_scrubbed_before_they_are_cut() -> None:
    secret = "hunter2hunter2"
    reading = replace(READ, scrub=lambda text: text.replace(secret, "***"))
    text = "\x1b[31m::error::\n" + secret + "x" * (MESSAGE_MAX - 40) + secret + "y" * 100
    message = classify(reading, 400, JSON, error(message=text)).message
    assert len(message) <= MESSAGE_MAX + 20
    assert "hunter2" not in message and "\x1b" not in message and "\n" not in message
    assert message.endswith("…")


def test_a_structured_message_is_shown_as_json() -> None:
    reply = classify(READ, 400, JSON, error(message={"path": ["has already been taken"]}))
    assert reply.message == '{"path":["has already been taken"]}'


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, errors.Unauthorized),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (422, errors.Rejected),
        (429, errors.RateLimited),
        (500, errors.PlatformFault),
    ],
)
def test_each_refusal_has_its_error_class(status: int, kind: type[errors.LiveError]) -> None:
    found = error_of(classify(READ, status, JSON, error()))
    assert type(found) is kind
    assert found.call is not None and found.call.status == status and found.call.path == "/things/{name}"


def test_no_answer_is_a_fault_and_an_unreadable_one_unintelligible() -> None:
    assert type(error_of(failed(READ, "broken", "lost"))) is errors.PlatformFault
    assert type(error_of(failed(READ, "unreachable", "no connection"))) is errors.Unreachable
    assert type(error_of(classify(READ, 200, JSON, b"{"))) is errors.Unintelligible


def test_a_refusal_may_be_packed_as_the_answer_would_be() -> None:
    """A call that is answered in msgpack is refused in msgpack, even where its caller would have taken JSON."""
    body = b"\x81\xa7message\xaeno such bucket"
    reading = replace(READ, errors=ErrorRule(None, Expression("message"), {}))
    reply = classify(reading, 404, {"content-type": "application/msgpack"}, body)
    assert (reply.answer, reply.message) == ("notFound", "no such bucket")
    assert classify(reading, 404, {"content-type": "application/msgpack"}, body[:-1]).answer == "broken"
