"""A bookshelf with a small REST API, as one finds it at work: the platform of `agent/docs/how-to/your-own-platform.md`.

`python -m tests.platforms.bookshelf PORT` serves it until it is stopped. It knows nothing of datakeel.

    GET    /api/books       {"books": [{"id": 1, "slug": "dune", "title": "Dune", "copies": 2}]}
    POST   /api/books       the book, 201; 409 where there is one of this slug
    GET    /api/books/ID    the book; 404
    PUT    /api/books/ID    replaces it
    DELETE /api/books/ID    204

    GET    /openapi.yaml    the OpenAPI document of these calls; it needs no key

Every call but the last needs the header `X-Api-Key: open-sesame`; without it the answer is 401. An error is
`{"error": "…"}`.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

KEY = "open-sesame"
DOCUMENT = Path(__file__).with_name("bookshelf.openapi.yaml")
MEMBERS = {"slug": str, "title": str, "copies": int}


class Bookshelf(ThreadingHTTPServer):
    """The server with its books."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), Answers)
        self.books: dict[int, dict[str, Any]] = {}
        self.numbers = count(1)


class Answers(BaseHTTPRequestHandler):
    server: Bookshelf
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/openapi.yaml":
            self._answer(200, DOCUMENT.read_bytes(), "application/yaml")
            return
        body = self._begin()
        if body is not None:
            number = self._number()
            if number is None:
                self._answer(200, {"books": list(self.server.books.values())})
            elif number in self.server.books:
                self._answer(200, self.server.books[number])
            else:
                self._answer(404, {"error": "no such book"})

    def do_POST(self) -> None:
        body = self._begin()
        if body is not None and self._is_a_book(body):
            if any(book["slug"] == body["slug"] for book in self.server.books.values()):
                self._answer(409, {"error": "there is a book of this slug"})
                return
            number = next(self.server.numbers)
            self.server.books[number] = {"id": number, "copies": 1, **body}
            self._answer(201, self.server.books[number])

    def do_PUT(self) -> None:
        body, number = self._begin(), self._number()
        if body is not None and self._is_a_book(body):
            if number not in self.server.books:
                self._answer(404, {"error": "no such book"})
                return
            self.server.books[number] = {"id": number, "copies": 1, **body}
            self._answer(200, self.server.books[number])

    def do_DELETE(self) -> None:
        body, number = self._begin(), self._number()
        if body is not None:
            gone = self.server.books.pop(number or 0, None)
            self._answer(404 if gone is None else 204, {"error": "no such book"} if gone is None else None)

    def _begin(self) -> dict[str, Any] | None:
        """The body that came; None where the call was refused."""
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        refused, body = None, {}
        if self.headers.get("X-Api-Key") != KEY:
            refused = (401, "who are you?")
        elif not self.path.startswith("/api/books"):
            refused = (404, "no such page")
        else:
            try:
                body = json.loads(content or b"{}")
            except ValueError:
                refused = (400, "not JSON")
        if refused is None:
            return body
        self._answer(refused[0], {"error": refused[1]})
        return None

    def _number(self) -> int | None:
        last = self.path.partition("?")[0].rpartition("/")[2]
        return int(last) if last.isdecimal() else None

    def _is_a_book(self, body: dict[str, Any]) -> bool:
        wrong = [name for name, value in body.items() if not isinstance(value, MEMBERS.get(name, ()))]
        wrong += [name for name in ("slug", "title") if name not in body]
        if wrong:
            self._answer(422, {"error": f"not a book: {', '.join(wrong)}"})
        return not wrong

    def _answer(self, status: int, body: Any, media: str = "application/json") -> None:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        if body is not None:
            self.send_header("Content-Type", media)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed: the screen belongs to whoever reads the page."""


def main(port: int) -> None:
    with Bookshelf(port) as server:
        print(f"the bookshelf is at http://127.0.0.1:{server.server_port}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main(int(sys.argv[1]))
