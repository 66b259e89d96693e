"""Bodies in and out, one format a test."""

from __future__ import annotations

from decimal import Decimal
from email import message_from_bytes

import pytest

from agent.errors import LiveError
from agent.live.codecs import Undecodable, accept_header, codec_of, decode, encode, media_type


def test_json_is_sent_with_its_digits_and_its_order() -> None:
    assert encode("json", {"b": Decimal("1.10"), "a": 2**70}) == (
        b'{"b":1.10,"a":1180591620717411303424}',
        "application/json",
    )


def test_yaml_comes_back_as_it_was_sent() -> None:
    value = {"name": "on", "cron": "0 2 * * *", "fraction": Decimal("1.10"), "list": [1, None, True], "time": "22:30"}
    body, content_type = encode("yaml", value)
    assert content_type == "application/yaml"
    assert decode("yaml", body) == value


@pytest.mark.parametrize(
    "body",
    [
        b"a: 1\na: 2\n",
        b"a: !!python/object/apply:os.system ['id']\n",
        b"a: &x [*x]\n",
        b"",
        b"a: 1\n---\nb: 2\n",
        b"[" * 200 + b"]" * 200,
        b"a: &a [1,2,3,4,5,6,7,8,9]\n"
        + b"".join(b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in b"bcdefghi"),
    ],
)
def test_a_yaml_answer_goes_through_the_same_door_as_manifests(body: bytes) -> None:
    with pytest.raises(Undecodable):
        decode("yaml", body)


def test_a_form_flattens_with_brackets() -> None:
    body, content_type = encode(
        "form", {"a": {"b": 1, "c": True}, "topics": ["x y", "z&"], "none": None, "n": Decimal("1.50")}
    )
    assert content_type == "application/x-www-form-urlencoded"
    assert body == b"a%5Bb%5D=1&a%5Bc%5D=true&topics%5B%5D=x+y&topics%5B%5D=z%26&none=&n=1.50"


def test_multipart_is_read_back_by_a_foreign_parser_and_is_stable() -> None:
    value = {"name": "é", 'odd"\r\nname': "x", "nested": {"m": "--"}}
    body, content_type = encode("multipart", value)
    assert encode("multipart", value) == (body, content_type)
    message = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    parts = message.get_payload()
    assert isinstance(parts, list)
    assert [part.get_payload(decode=True).decode() for part in parts] == ["é", "x", "--"]
    assert b"\r\nname" not in body


def test_bytes_travel_as_base64_and_text_as_text() -> None:
    assert encode("bytes", "AP8=") == (b"\x00\xff", "application/octet-stream")
    assert decode("bytes", b"\x00\xff") == "AP8="
    assert encode("text", "é")[0] == "é".encode()
    assert decode("text", "é".encode()) == "é"
    with pytest.raises(Undecodable):
        decode("text", b"\xff")
    with pytest.raises(LiveError):
        encode("bytes", "not base64!")


def test_formats_without_a_reader_are_not_asked_for() -> None:
    assert accept_header(("form", "json")) == "application/json"
    with pytest.raises(LiveError):
        accept_header(("multipart",))


@pytest.mark.parametrize(
    ("content_type", "accept", "codec"),
    [
        ("application/json", ("json",), "json"),
        ("Application/JSON; charset=UTF-8", ("json",), "json"),
        ("application/problem+json", ("json",), "json"),
        ("application/x-yaml", ("yaml",), "yaml"),
        ("", ("yaml", "json"), "yaml"),
        ("text/html", ("json",), None),
        ("text/html+json", ("yaml",), None),
        ("application/json; charset=latin-1", ("json",), None),
        ("application/json", ("yaml",), None),
        ("application/x-www-form-urlencoded", ("form", "json"), None),
    ],
)
def test_the_content_type_must_be_one_that_was_asked_for(
    content_type: str, accept: tuple[str, ...], codec: str | None
) -> None:
    assert codec_of(content_type, accept) == codec  # type: ignore[arg-type]


def test_a_hostile_content_type_is_not_printed() -> None:
    assert media_type("text/\x1b[31m") == "an unreadable content type"
    assert media_type("x" * 500) == "an unreadable content type"
