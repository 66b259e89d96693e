"""A platform that repeats every secret it was told: in errors, in answers, in logs, in whatever encoding is asked for.

It knows nothing of datakeel, takes any credential, and keeps every byte that it was sent. The name of a vault says how
it is answered: ``…-echo-ENCODING-STATUS`` refuses to be made and repeats credential and body in the message.
"""

from __future__ import annotations

import html
import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

ENCODINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "base64": lambda text: b64encode(text.encode()).decode(),
    "shifted": lambda text: b64encode(b"x" + text.encode()).decode(),
    "hex": lambda text: text.encode().hex(),
    "url": lambda text: quote(text, safe=""),
    "json": json.dumps,
    "html": html.escape,
}


_RFC_6455 = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # what every server adds to the key of a handshake


class Leaky(ThreadingHTTPServer):
    """The platform. ``issued`` is a secret that it makes up, ``session`` what a login yields; ``told`` all it was sent.

    ``refuses`` makes every call a 401 that repeats the credential.
    """

    daemon_threads = True

    def __init__(self, issued: str, token: str, shaped: str) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.issued, self.token, self.shaped = issued, token, shaped
        self.vaults: dict[int, dict[str, Any]] = {}  # and scripts
        self.numbers = count(1)
        self.told: list[bytes] = []
        self.refuses = False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Leaky:
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self.server_close()

    def was_told(self, value: str) -> bool:
        """Whether the value came, as it is, as JSON, in an address or in Basic authentication."""
        everything = b"\n".join(self.told)
        as_json = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
        return any(form.encode() in everything for form in {value, quote(value), *as_json})


class _Answers(BaseHTTPRequestHandler):
    server: Leaky
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        _, number, last = self._begin()
        if self.server.refuses:
            self._echo("raw", 401)
        elif number is None:
            every = (vault for vault in self.server.vaults.values() if vault["of"] == last)
            self._answer(200, {last: [self._shown(vault) for vault in every]})
        elif number not in self.server.vaults:
            self._answer(404, {"error": "no such vault"})
        elif last == "stream":
            self._stream(str(self.server.vaults[number]["name"]))
        elif last == "logs":
            self._answer(200, {"lines": [f"{name}: {self._heard(change)}" for name, change in ENCODINGS.items()]})
        else:
            self._answer(200, self._shown(self.server.vaults[number]))

    def do_POST(self) -> None:
        body, number, last = self._begin()
        name = str(body.get("name", ""))
        if self.path.endswith("/login"):
            self._answer(200, {"access_token": self.server.token, "expires_in": 3600})
        elif self.server.refuses:
            self._echo("raw", 401)
        elif last == "unlock":
            self._echo("raw", 400)
        elif last == "files" and "refused" not in name:
            self._answer(201, {"id": f"file-{next(self.server.numbers)}"})
        elif last == "files":
            self._echo("raw", 400)
        elif "-echo-" in name:
            encoding, status = name.split("-")[-2:]
            self._echo(encoding, int(status))
        else:
            number = next(self.server.numbers)
            self.server.vaults[number] = {"id": number, "of": last, **body}
            self._answer(201, self._shown(self.server.vaults[number]))

    def do_PUT(self) -> None:
        body, number, _ = self._begin()
        if number not in self.server.vaults or number is None:
            self._answer(404, {"error": "no such vault"})
        elif str(body.get("note")) == "refuse":
            self._echo("json", 422)
        else:
            self.server.vaults[number] = {"id": number, "of": "vaults", **body}
            self._answer(200, self._shown(self.server.vaults[number]))

    def do_DELETE(self) -> None:
        _, number, _ = self._begin()
        gone = self.server.vaults.pop(number or 0, None)
        self._answer(204 if gone else 404, None if gone else {"error": "no such vault"})

    def log_message(self, *arguments: object) -> None:
        pass

    def _begin(self) -> tuple[dict[str, Any], int | None, str]:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.content = content.decode()
        heads = "\n".join(f"{name}: {value}" for name, value in self.headers.items())
        line = f"{self.command} {unquote(self.path)}"
        self.server.told.append(f"{line}\n{heads}\n{self._basic()}\n{self.content}".encode())
        parts = urlsplit(self.path).path.split("/")
        number = int(parts[3]) if len(parts) > 3 and parts[3].isdigit() else None
        return json.loads(content) if content else {}, number, parts[-1]

    def _basic(self) -> str:
        import base64

        kind, _, word = self.headers.get("Authorization", "").partition(" ")
        return base64.b64decode(word).decode() if kind == "Basic" else ""

    def _heard(self, change: Callable[[str], str]) -> str:
        """All secrets that came with this call, and one that has the shape of a token."""
        credentials = [self.headers.get(name, "") for name in ("X-Api-Key", "Authorization", "Cookie")]
        credentials += [self._basic(), *(parse_qs(urlsplit(self.path).query).get("api_key", [""]))]
        body = json.loads(self.content) if self.content else {}
        heard = [*credentials, *_texts(body)]
        return " ; ".join([self.server.shaped, *(change(text) for text in heard if text)])

    def _stream(self, name: str) -> None:
        """A WebSocket that repeats in each line what it was opened with; or a refusal to open one that does."""
        if "unheard" in name:
            self._echo("raw", 403)
            return
        accept = b64encode(sha1((self.headers["Sec-WebSocket-Key"] + _RFC_6455).encode()).digest()).decode()
        for line in ("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"):
            self.wfile.write(f"{line}\r\n".encode())
        self.wfile.write(f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode())
        for encoding, change in ENCODINGS.items():
            self._frame(0x81, json.dumps({"lines": [f"{encoding}: {self._heard(change)}"]}).encode())
        self._frame(0x88, (1000).to_bytes(2, "big") + self._heard(str).encode()[:100])
        self.close_connection = True

    def _frame(self, first: int, content: bytes) -> None:
        length = bytes([len(content)]) if len(content) < 126 else bytes([126]) + len(content).to_bytes(2, "big")
        self.wfile.write(bytes([first]) + length + content)

    def _echo(self, encoding: str, status: int) -> None:
        message = f"you said {self._heard(ENCODINGS[encoding])}"
        if status == 500:  # a page of a gateway, in which all of it stands too
            self._send(500, "text/html", f"<html><body>{html.escape(message)}</body></html>".encode())
        else:
            self._answer(status, {"code": "ECHO", "error": message})

    def _shown(self, vault: dict[str, Any]) -> dict[str, Any]:
        shown = {name: value for name, value in vault.items() if name not in ("files", "of")}
        shown |= {"issued": self.server.issued} if vault["of"] == "vaults" else {}
        return shown | ({"password": "*" * 8} if "password" in vault else {})

    def _answer(self, status: int, body: Any) -> None:
        self._send(status, "application/json", b"" if body is None else json.dumps(body).encode())

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from _texts(member)
    else:
        yield str(value)
