"""A platform, made up, behind a socket that says whatever a test wants, byte for byte.

Every kind is alike but for its path. What no script stands for is answered from memory, as a good platform would.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

Script = bytes | Callable[[socket.socket], None]

_HEAD = """\
platform: shop
version: v1
format: 1
auth: {key: {header: X-Key, value: "${secret.token}"}}
errors: {message: message}
pages: {by: offset, at: offset, size: limit, ask: 2, total: meta.total}
kinds:
"""
_GET = '    get: {request: "GET /KIND/{name}"ACCEPT}\n'
_KIND = """\
  KIND:
    key: name
    list: {request: GET /KIND, items: data, holds: fullACCEPT}
GETS    create: {request: POST /KIND, adds: {name: "${name}"}}
    update: {request: "PUT /KIND/{name}"}
    delete: {request: "DELETE /KIND/{name}"}
"""


def platform_of(kinds: dict[str, str]) -> str:
    """A definition of these kinds; the value says what a kind's reads accept, none for JSON.

    Those whose names begin with ``List`` can be listed and not read by name, so that all depends on their lists.
    """
    return _HEAD + "".join(
        _KIND.replace("GETS", "" if kind.startswith("List") else _GET, 1)
        .replace("KIND", kind)
        .replace("ACCEPT", f", accept: [{accept}]" if accept else "")
        for kind, accept in kinds.items()
    )


def answer(body: bytes | str = b"", status: int = 200, content_type: str = "application/json", **headers: str) -> bytes:
    """A whole answer that closes its connection. ``headers`` may replace the length."""
    content = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    fields = {"content-type": content_type, "content-length": str(len(content)), "connection": "close"}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode("latin-1") + content


class RawServer:
    """Listens until :meth:`close`. ``scripts`` maps the beginning of a request line to what is sent instead."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        self.scripts: dict[str, Script] = {}
        self.requests: list[str] = []
        self.heads: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def forget(self) -> None:
        """Nothing was asked, and nothing is scripted; the objects stay."""
        self.scripts, self.requests, self.heads = {}, [], []

    def writes(self, kind: str = "") -> list[str]:
        """Mutating requests, of one kind or of all."""
        lines = [line for line in self.requests if not line.startswith(("GET ", "HEAD "))]
        return [line for line in lines if not kind or line.split("/")[1] == kind]

    def _accept(self) -> None:
        while True:
            try:
                taken, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(taken,), daemon=True).start()

    def _serve(self, taken: socket.socket) -> None:
        with taken, contextlib.suppress(OSError):
            taken.settimeout(20)
            while (request := _read(taken)) is not None:
                head, body = request
                line = head.partition(" HTTP/")[0]
                self.requests.append(line)
                self.heads.append(head)
                script = next((script for start, script in self.scripts.items() if line.startswith(start)), None)
                if script is None:
                    taken.sendall(self._good(line, body))
                elif callable(script):
                    script(taken)
                    return
                else:
                    taken.sendall(script)
                    return

    def _good(self, line: str, body: bytes) -> bytes:
        method, _, target = line.partition(" ")
        path, _, query = target.partition("?")
        _, kind, *rest = path.split("/")
        objects = self.objects[kind]
        if method == "GET" and not rest:
            at = int(dict(pair.split("=") for pair in query.split("&") if pair).get("offset", 0))
            rows = list(objects.values())
            return _kept(200, {"data": rows[at : at + 2], "meta": {"total": len(rows)}})
        if method == "POST":
            made = json.loads(body)
            objects[made["name"]] = made
            return _kept(201, made)
        name = rest[0]
        if name not in objects:
            return _kept(404, {"message": "not found"})
        if method == "DELETE":
            del objects[name]
        elif method == "PUT":
            objects[name] = {**json.loads(body), "name": name}
        return _kept(200, objects.get(name, {}))


def _kept(status: int, body: Any) -> bytes:
    return answer(json.dumps(body), status, connection="keep-alive")


def _read(taken: socket.socket) -> tuple[str, bytes] | None:
    data = b""
    while b"\r\n\r\n" not in data:
        more = taken.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    text = head.decode("latin-1")
    length = next((int(line[15:]) for line in text.lower().split("\r\n") if line.startswith("content-length:")), 0)
    while len(body) < length:
        body += taken.recv(65536)
    return text, body
