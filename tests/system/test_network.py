"""The short form of the bad network, and the proxy itself; ``python -m tests.system.network`` is the long one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.network import hurt
from tests.system.proxy import TOXICS, Proxy, Toxicity

_QUESTION = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n" + b"y" * 400
_QUIET_SECONDS = 0.3


@pytest.fixture
def there() -> Iterator[tuple[int, list[bytes]]]:
    """A server that answers the same to everybody, and what it was asked."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        asked: list[bytes] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    asked.append(connection.recv(4096))
                    if asked[-1] == _QUESTION:
                        connection.sendall(_ANSWER)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1], asked
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=5)


@pytest.mark.parametrize("toxic", TOXICS)
def test_each_toxic_does_what_its_name_says(there: tuple[int, list[bytes]], toxic: str) -> None:
    port, asked = there
    with Proxy("127.0.0.1", port, seed=3) as proxy:
        proxy.toxicity = Toxicity(1.0, {toxic: 1.0}, patience=_QUIET_SECONDS)
        came = spoken(proxy.port)
    assert dict(proxy.met) == {toxic: 1}
    assert (asked == [_QUESTION]) == (toxic not in ("down", "cut request")), "what arrives there, arrives whole or not"
    if toxic in ("latency", "bandwidth", "slicing", "slow close"):
        assert came == _ANSWER
    elif toxic == "html":
        assert came is not None and came.startswith(b"HTTP/1.1 200 OK\r\ncontent-type: text/html")
    elif toxic == "header":
        assert came is not None and len(came) > len(_ANSWER) and came.endswith(_ANSWER[15:])
    elif toxic == "cut":
        assert came is not None and _ANSWER.startswith(came) and len(came) < len(_ANSWER)
    else:
        assert came is None, "a reset"


def test_what_stalls_goes_on_later_and_what_is_down_is_refused(there: tuple[int, list[bytes]]) -> None:
    port, asked = there
    with Proxy("127.0.0.1", port) as proxy:
        proxy.stall()
        told: list[bytes | None] = []
        waiting = threading.Thread(target=lambda: told.append(spoken(proxy.port)))
        waiting.start()
        waiting.join(timeout=_QUIET_SECONDS)
        assert waiting.is_alive() and asked == []
        proxy.flow()
        waiting.join(timeout=10)
        assert told == [_ANSWER]
        proxy.down()
        assert spoken(proxy.port) is None
        proxy.flow()
        assert spoken(proxy.port) == _ANSWER


def spoken(port: int) -> bytes | None:
    """What comes back for the question; None for a reset."""
    came = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(_QUESTION)
            while data := connection.recv(4096):
                came += data
    except ConnectionError:
        return None
    return came


@pytest.mark.slow
@pytest.mark.row("A1", "A15", "A16", "A18", "A19", "A31")
def test_on_a_bad_network_everything_is_made_once_and_comes_to_rest(tmp_path: Path) -> None:
    swept, met = hurt(tmp_path / "stage", seconds=8.0, seed=3, commits=5, share=0.3, settle=0.0, least=5)
    assert swept.wrong == []
    assert met.total() >= 5
