"""Row 192: what a server address may be."""

from __future__ import annotations

import pytest

from agent.errors import ConfigError
from agent.live.connection import parse_server


@pytest.mark.parametrize(
    ("server", "text", "prefix"),
    [
        ("https://api.example.com", "https://api.example.com", ""),
        ("https://API.example.com/", "https://api.example.com", ""),
        ("https://api.example.com:443/base/", "https://api.example.com", "/base"),
        ("https://api.example.com:8443", "https://api.example.com:8443", ""),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", ""),
        ("https://[2001:db8::1]:444", "https://[2001:db8::1]:444", ""),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example", ""),
        ("http://sandbox_1:80", "http://sandbox_1", ""),
    ],
)
def test_a_plain_base_address_is_an_origin(server: str, text: str, prefix: str) -> None:
    origin = parse_server(server, allow_http=True)
    assert (origin.text, origin.prefix) == (text, prefix)


@pytest.mark.parametrize(
    "server",
    [
        "",
        "api.example.com",
        "//api.example.com",
        "ftp://api.example.com",
        "https://",
        "https://user:pw@api.example.com",
        "https://api.example.com?x=1",
        "https://api.example.com#f",
        "https://api.example.com/a/../b",
        "https://api.example.com/%2e%2e/b",
        "https://api.example.com//b",
        "https://api.example.com:99999",
        "https://api.example.com:0",
        "https://api.example.com:x",
        "https://[fe80::1%25eth0]",
        "https://[fe80::1%eth0]",
        "https://[nonsense]",
        "https://аpi.example.com",
        "https://api.exam ple.com",
        "https://api.example.com/a b",
        "https://-.",
        "https://api.exa\rmple.com",
        "https://api.example.com\t/a",
        "https://927.0.0.1",
        "https://127.1",
        "https://0x7f.0.0.1",
        "https://api.0x7f",
    ],
)
@pytest.mark.row("A32")
def test_anything_else_is_refused_without_showing_a_password(server: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_server(server, allow_http=True)
    assert "pw" not in f"{caught.value} {caught.value.got}"


def test_http_needs_permission_by_name() -> None:
    with pytest.raises(ConfigError, match="allow_http"):
        parse_server("http://api.example.com", allow_http=False)
