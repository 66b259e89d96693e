"""(status, headers, body) -> one of ten answers, and whether a write may have landed. Pure.

The table is ``design/platform-definitions.md`` 3.7. Two rules carry the weight: what did not provably come from the
platform is ``broken`` (a proxy's 404 page is no absence), and what is ``broken`` leaves a write *unknown*. Messages are
the platform's own, cut and made printable; raw bodies never go into one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit

from agent import errors
from agent.definitions.expressions import Expression
from agent.definitions.platform import Answer, Codec, ErrorRule, Exists, ResponseRule
from agent.errors import Call, Landed, LiveError
from agent.live.codecs import Undecodable, codec_of, decode, media_type
from agent.model.canonical import to_json

MESSAGE_MAX = 512
CODE_MAX = 100
_SCRUBBED_MAX = 65_536

_BY_STATUS: Mapping[int, Answer] = {
    400: "invalid",
    401: "unauthenticated",
    403: "denied",
    404: "notFound",
    405: "invalid",
    409: "conflict",
    410: "notFound",
    412: "conflict",
    413: "invalid",
    415: "invalid",
    422: "invalid",
    423: "conflict",
    425: "conflict",
    429: "throttled",
}
_ERRORS: Mapping[Answer, type[LiveError]] = {
    "notFound": errors.NotFound,
    "exists": errors.Conflict,
    "conflict": errors.Conflict,
    "invalid": errors.Rejected,
    "denied": errors.Forbidden,
    "unauthenticated": errors.Unauthorized,
    "throttled": errors.RateLimited,
    "unreachable": errors.Unreachable,
}
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Reply:
    """One call's end. ``item`` is the object that the operation names in the body, ``body`` the decoded whole.

    ``landed`` speaks of writes: a read is never more than ``no`` when it failed. ``passing`` marks a failure that
    another try may not meet; only reads are tried again.
    """

    answer: Answer
    landed: Landed
    status: int | None
    item: Any
    body: Any
    code: str
    message: str
    headers: Mapping[str, str]
    template: str
    method: str
    passing: bool = False
    seal: bytes = b""
    raw: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Reading:
    """How the answers of one call are judged; made once per operation. ``scrub`` takes known secrets out of a text.

    ``sealed_by`` names the headers that count beside the body: then a good answer carries a ``seal``, a digest of all
    that its meaning hangs on. One with the seal ``known`` is not decoded, and comes back with its ``raw`` body.
    """

    method: str
    template: str
    writes: bool
    accept: tuple[Codec, ...] = ("json",)
    response: ResponseRule = field(default_factory=ResponseRule)
    errors: ErrorRule = field(default_factory=ErrorRule)
    item: Expression | None = None
    must_have_item: bool = False
    exists: Exists | None = None
    in_use: Exists | None = None
    scrub: Callable[[str], str] = str
    sealed_by: tuple[str, ...] | None = None
    known: bytes = b""


def classify(reading: Reading, status: int, headers: Mapping[str, str], body: bytes) -> Reply:
    """Judge one answer. ``headers`` have lower-case names."""
    if 200 <= status < 300 and reading.sealed_by is not None:
        return _sealed(reading, reading.sealed_by, status, headers, body)
    if 200 <= status < 300:
        return _success(reading, status, headers, body)
    if 400 <= status < 600:
        return _refusal(reading, status, headers, body)
    if 300 <= status < 400:
        return _reply(
            reading, "broken", status, headers, message=f"a redirect{_host_of(reading, headers)}, which is not followed"
        )
    return _reply(reading, "broken", status, headers, message=f"unexpected status {status}")


def failed(reading: Reading, answer: Answer, message: str, *, passing: bool = True) -> Reply:
    """The reply of a call that got no answer: ``unreachable`` when nothing was sent, else ``broken``."""
    return _reply(reading, answer, None, {}, message=message, passing=passing)


def refused(reading: Reading, message: str) -> Reply:
    """The reply of a call that was never sent because it could not be built safely."""
    return _reply(reading, "invalid", None, {}, message=message)


def error_of(reply: Reply) -> LiveError:
    """The reply as an exception, for the few callers that have nobody to hand a Reply to."""
    kind = _ERRORS.get(reply.answer)
    if kind is None:
        kind = errors.PlatformFault if reply.status is None or reply.status >= 300 else errors.Unintelligible
    what = reply.message or f"answered {reply.answer}"
    call = Call(reply.method, reply.template, reply.status, reply.landed)
    return kind(f"{reply.method} {reply.template}: {what}" if reply.template else what, call=call)


def printable(text: str, limit: int = MESSAGE_MAX) -> str:
    """Foreign text that can neither steer a terminal nor start a line, cut to ``limit`` characters."""
    shown = _UNPRINTABLE.sub(
        lambda found: f"\\u{ord(found[0]):04x}" if found[0] not in "\n\r\t" else " ", text[: limit + 1]
    ).strip()
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _sealed(reading: Reading, names: tuple[str, ...], status: int, headers: Mapping[str, str], body: bytes) -> Reply:
    told = [str(status), headers.get("content-type", ""), *(headers.get(name, "") for name in names)]
    seal = blake2b("\n".join(told).encode("utf-8", "surrogateescape") + b"\0" + body, digest_size=20).digest()
    if seal == reading.known:
        return replace(_reply(reading, "ok", status, headers), seal=seal, raw=body)
    reply = _success(reading, status, headers, body)
    return replace(reply, seal=seal) if reply.answer == "ok" else reply


def _success(reading: Reading, status: int, headers: Mapping[str, str], body: bytes) -> Reply:
    if reading.writes and status in (204, 205) and not body:
        return _reply(reading, "ok", status, headers)
    codec = codec_of(headers.get("content-type", ""), reading.accept)
    if codec is None:
        return _reply(reading, "broken", status, headers, message=f"unexpected answer: {_described(headers, body)}")
    try:
        value = decode(codec, body)
    except Undecodable as error:
        message = f"unreadable answer: {_described(headers, body)}: {error}"
        return _reply(reading, "broken", status, headers, message=message)
    if not _is_good(reading, value):
        return _failed_envelope(reading, status, headers, value, body)
    expression = reading.item or reading.response.item
    item = value if expression is None else expression.search(value)
    if item is None and reading.must_have_item:
        message = f"unexpected envelope: {_described(headers, body)}"
        return _reply(reading, "broken", status, headers, body=value, message=message)
    return _reply(reading, "ok", status, headers, body=value, item=item)


def _is_good(reading: Reading, value: Any) -> bool:
    """The declared condition decides; without one, a body that carries an error code says that the call failed."""
    if reading.response.ok is not None:
        return reading.response.ok.holds(value)
    rule = reading.errors.code
    if rule is None or not isinstance(value, Mapping) or not any(name in value for name in rule.first):
        return True
    return not _shown(rule, value, CODE_MAX, reading.scrub)


def _failed_envelope(reading: Reading, status: int, headers: Mapping[str, str], value: Any, body: bytes) -> Reply:
    code, message = _told(reading, value)
    if not code and not message:
        message = f"unexpected envelope: {_described(headers, body)}"
        return _reply(reading, "broken", status, headers, body=value, message=message)
    answer = _mapped(reading.errors, code, status) or "invalid"
    return _reply(reading, answer, status, headers, body=value, code=code, message=message)


def _refusal(reading: Reading, status: int, headers: Mapping[str, str], body: bytes) -> Reply:
    value: Any = None
    codec = codec_of(headers.get("content-type", ""), ("json", "yaml", "msgpack")) if body else None
    if codec is not None:
        try:
            value = decode(codec, body)
        except Undecodable:
            value = None
    code, message = _told(reading, value)
    proved = bool(code or message)
    answer = _answer_of(reading, status, code, value, proved)
    failing = _is_failing(status)
    if not message and answer == "broken":
        origin = "" if failing else " that did not come from the platform"
        message = f"{reading.method} answered {status}{origin}: {_described(headers, body)}"
    return _reply(
        reading,
        answer,
        status,
        headers,
        body=value,
        code=code,
        message=message,
        passing=answer == "throttled" or (answer == "broken" and failing),
    )


def _answer_of(reading: Reading, status: int, code: str, value: Any, proved: bool) -> Answer:
    if reading.errors.declared and not proved and status != 429:
        return "broken"
    if _is_met(reading.exists, status, value):
        return "exists"
    if _is_met(reading.in_use, status, value):
        return "conflict"
    if reading.writes and _is_failing(status) and str(status) not in reading.errors.answers:
        # Whoever fails may have failed after the commit, whatever code it gives: only a definition that speaks of the
        # status itself may say that such a write did not land.
        return "broken"
    mapped = _mapped(reading.errors, code, status)
    if mapped is not None:
        return mapped
    if _is_failing(status):
        return "broken"
    # A 4xx without a row in the table is a refusal like any other once the platform itself said so.
    return _BY_STATUS.get(status, "invalid" if proved else "broken")


def _is_failing(status: int) -> bool:
    return status >= 500 or status == 408


def _is_met(refusal: Exists | None, status: int, value: Any) -> bool:
    return refusal is not None and status in refusal.statuses and (refusal.when is None or refusal.when.holds(value))


def _mapped(rule: ErrorRule, code: str, status: int) -> Answer | None:
    return (rule.answers.get(code) if code else None) or rule.answers.get(str(status))


def _told(reading: Reading, value: Any) -> tuple[str, str]:
    if value is None:
        return "", ""
    rule = reading.errors
    return (
        _shown(rule.code, value, CODE_MAX, reading.scrub),
        _shown(rule.message, value, MESSAGE_MAX, reading.scrub),
    )


def _shown(expression: Expression | None, value: Any, limit: int, scrub: Callable[[str], str]) -> str:
    found = None if expression is None else expression.search(value)
    if found is None or isinstance(found, bool) or found in ("", [], {}):
        return ""
    text = found if isinstance(found, str) else to_json(found).decode("utf-8", "replace")
    # Scrubbed before it is cut: half a token is still half a secret.
    return printable(scrub(text[:_SCRUBBED_MAX]), limit)


def _described(headers: Mapping[str, str], body: bytes) -> str:
    """What may be told of a body that is not believed: its type and size, never itself."""
    content_type = headers.get("content-type", "")
    return f"{media_type(content_type) if content_type else 'no content type'}, {len(body)} B"


def _host_of(reading: Reading, headers: Mapping[str, str]) -> str:
    try:  # scrubbed first: a host is given in small letters, and a secret that is spelled so would not be found
        host = urlsplit(reading.scrub(headers.get("location", ""))).hostname
    except ValueError:
        host = None
    return f" to {printable(host, 100)}" if host else ""


def _reply(
    reading: Reading,
    answer: Answer,
    status: int | None,
    headers: Mapping[str, str],
    *,
    item: Any = None,
    body: Any = None,
    code: str = "",
    message: str = "",
    passing: bool = False,
) -> Reply:
    landed: Landed = "yes" if answer == "ok" else "unknown" if answer == "broken" and reading.writes else "no"
    return Reply(answer, landed, status, item, body, code, message, headers, reading.template, reading.method, passing)
