"""The health check of a container: where it asks, and what it answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from agent.cli.probing import ask, probes_at
from agent.config.model import PROBES, Address
from agent.config.state import find_probes
from agent.errors import AgentError, ConfigError


@pytest.fixture
def answering() -> Iterator[tuple[Address, list[int]]]:
    """An agent of few words, at an address; the list holds its status."""
    status = [200]

    class Words(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = f"{self.path} at {self.headers['Host']}\n".encode()
            self.send_response(status[0])
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *words: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Words) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Address("127.0.0.1", server.server_port), status
        server.shutdown()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("source: {path: .}\n", None),
        ("source: {path: probes}\n", None),
        ("server: {probes: '0.0.0.0:9'}\n", "0.0.0.0:9"),
        ("server:\n  probes: off\n", "off"),
        ("server: {probes: 7}\n", None),
    ],
)
def test_the_address_is_what_the_configuration_says(tmp_path: Path, text: str, found: str | None) -> None:
    (tmp_path / "datakeel.yaml").write_text(text)
    assert find_probes(None, {}, tmp_path) == found
    assert find_probes(None, {"DATAKEEL_SERVER__PROBES": "127.0.0.1:1"}, tmp_path) == "127.0.0.1:1"


def test_without_a_word_it_is_the_default_and_off_is_nowhere() -> None:
    assert probes_at(None) == PROBES
    for written in ("off", "127.0.0.1:0", "nonsense"):
        with pytest.raises(ConfigError):
            probes_at(written)


def test_what_listens_everywhere_is_asked_here(answering: tuple[Address, list[int]]) -> None:
    address, status = answering
    assert ask(Address("0.0.0.0", address.port), "livez") == (True, f"/livez?verbose at 127.0.0.1:{address.port}\n")
    status[0] = 503
    assert ask(address, "readyz")[0] is False


def test_nobody_there_is_an_error_in_words(answering: tuple[Address, list[int]]) -> None:
    with pytest.raises(AgentError) as caught:
        ask(Address("127.0.0.1", 1), "livez")
    assert caught.value.error_code == "probe-unanswered"
    assert caught.value.what == "no agent answers at 127.0.0.1:1: Connection refused"
