"""MessagePack as strictly as JSON, and JSON that is sent under its name."""

from __future__ import annotations

import struct
import time
from decimal import Decimal

import msgpack
import pytest

from agent.errors import LiveError
from agent.live import packed
from agent.live.codecs import Undecodable, accept_header, codec_of, decode, encode
from agent.live.packed import LENGTH_MAX
from agent.live.strict_json import DEPTH_MAX


def test_what_comes_out_is_what_json_would_have_given() -> None:
    body = msgpack.packb({"a": [1, -1, 2.5, None, True], "b": {"c": "é"}})
    assert decode("msgpack", body) == {"a": [1, -1, Decimal("2.5"), None, True], "b": {"c": "é"}}


def test_binary_values_and_extension_types_stay_opaque_bytes() -> None:
    value = [b"\x00\xff", msgpack.ExtType(5, b"xyz"), msgpack.Timestamp(1, 2)]
    assert decode("msgpack", msgpack.packb(value)) == ["AP8=", "eHl6", "AAAACAAAAAE="]


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (struct.pack("!d", 1_704_110_400.0), "2024-01-01T12:00:00+00:00"),
        (struct.pack("!dl", 1_704_110_400.5, 3600), "2024-01-01T13:00:00.500000+01:00"),
        (struct.pack("!d", float("nan")), "f/gAAAAAAAA="),
        (struct.pack("!d", 1e300), "fjfkPIgAdZw="),
        (struct.pack("!dl", 0.0, 90_000), "AAAAAAAAAAAAAV+Q"),
        (b"short", "c2hvcnQ="),
    ],
)
def test_the_moments_of_an_older_extension_are_text_where_they_are_moments(content: bytes, shown: str) -> None:
    assert decode("msgpack", msgpack.packb(msgpack.ExtType(42, content))) == shown


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"\xdd\xff\xff\xff\xff", "exceeds"),
        (b"\xdf\xff\xff\xff\xff", "exceeds"),
        (b"\xdb\xff\xff\xff\xffabc", "cut short"),
        (b"\xc6\xff\xff\xff\xffabc", "cut short"),
        (b"\x91" * 5000 + b"\x90", "deeper"),
        (b"\x81\x01\x02", "not allowed for map key"),
        (b"\x81\xc4\x01a\x01", "not text"),
        (b"\x82\xa1a\x01\xa1a\x02", "twice"),
        (b"\xa1\xff", "UTF-8"),
        (b"\x01\x02", "behind its end"),
        (b"\x92\x01", "cut short"),
        (b"", "cut short"),
        (b"\xc1", "not msgpack"),
        (b"\xcb" + struct.pack(">d", float("nan")), "not JSON"),
        (b"\xcb" + struct.pack(">d", float("inf")), "not JSON"),
    ],
)
def test_each_of_these_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(Undecodable, match=why):
        decode("msgpack", body)


def test_nesting_ends_where_that_of_json_does() -> None:
    assert packed.loads(b"\x91" * (DEPTH_MAX - 1) + b"\x90")
    with pytest.raises(ValueError, match="deeper"):
        packed.loads(b"\x91" * DEPTH_MAX + b"\x90")


def test_a_list_may_be_as_long_as_the_limit_and_no_longer() -> None:
    def listed(length: int) -> bytes:
        return b"\xdd" + struct.pack(">I", length) + b"\x01" * length

    assert len(packed.loads(listed(LENGTH_MAX))) == LENGTH_MAX
    with pytest.raises(ValueError, match="exceeds"):
        packed.loads(listed(LENGTH_MAX + 1))


def test_claims_within_claims_cost_no_time() -> None:
    began = time.monotonic()
    with pytest.raises(ValueError, match=r"cut short|deeper"):
        packed.loads((b"\xdd" + struct.pack(">I", LENGTH_MAX)) * 1000 + b"\x00" * LENGTH_MAX)
    assert time.monotonic() - began < 5


def test_a_body_is_written_and_read_back() -> None:
    value = {"a": [1, Decimal("1.5"), "x"], "b": None}
    body, content_type = encode("msgpack", value)
    assert content_type == "application/msgpack"
    assert decode("msgpack", body) == value


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, Decimal("1e400")])
def test_a_number_that_the_format_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(LiveError, match="cannot hold"):
        encode("msgpack", {"n": value})
    assert encode("msgpack", {"n": 2**64 - 1})


def test_formats_are_asked_for_in_the_order_of_the_definition() -> None:
    assert accept_header(("msgpack", "json")) == "application/msgpack, application/json"
    assert accept_header(("json", "msgpack")) == "application/json, application/msgpack"


def test_the_content_type_decides_and_without_one_the_first_format() -> None:
    accept = ("msgpack", "json")
    assert codec_of("application/x-msgpack", accept) == "msgpack"
    assert codec_of("application/json", accept) == "json"
    assert codec_of("", accept) == "msgpack"
    assert codec_of("application/msgpack", ("json",)) is None


def test_json_under_the_name_of_msgpack_is_read() -> None:
    assert decode("msgpack", b' {"data": [1.10]}') == {"data": [Decimal("1.10")]}
    assert decode("msgpack", b"[1]") == [1]
    assert decode("msgpack", b"{") == 123  # one byte is a whole number, and no JSON
    with pytest.raises(Undecodable):
        decode("msgpack", b'{"a": 1, "a": 2}')
