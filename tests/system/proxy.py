"""A TCP proxy that hurts what passes through it, from an agent to its platform or to its database.

The toxics are those of a bad network (latency, bandwidth, slicing, a cut after some bytes, reset, silence, a slow
close, nobody there) and of a bad box in the middle of HTTP (the answer lost after it was given, a page of HTML in its
place, a header that nobody sent). Which one an exchange meets is drawn from a seed and its number, or said by a test.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType

_CHUNK = 65536
_PAGE = b"<!doctype html><title>Sign in</title><p>Sign in to the network to go on.</p>\n"
_HTML = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: %d\r\n\r\n%s" % (len(_PAGE), _PAGE)
_HEADERS = (
    b"Location: http://169.254.169.254/latest/meta-data",
    b"Set-Cookie: session=of-somebody-else",
    b"Retry-After: -1",
    b"X-RateLimit-Remaining: nan",
    b"Content-Language: " + b"x" * 3000,
)

TOXICS = (
    "latency",
    "bandwidth",
    "slicing",
    "slow close",
    "timeout",
    "reset",
    "cut",
    "cut request",
    "down",
    "lost",
    "html",
    "header",
)
"""``cut request`` ends a request amid its bytes, ``cut`` an answer; ``lost``: answered, and the answer not brought."""


@dataclass(slots=True)
class Toxicity:
    """``share`` of all exchanges meet a toxic, of those named with their weights; ``patience`` is how long one lasts
    that the caller is to give up on.
    """

    share: float = 0.0
    weights: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(TOXICS, 1.0))
    patience: float = 8.0


class _Broken(Exception):
    """The exchange ends here, and its connection with it."""


class Proxy:
    """``address`` is where it listens; use it with `with`. Its loop runs in a thread of its own.

    ``hurts`` tells from the first bytes of a connection whether its toxics are for this one. ``met`` counts them.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        seed: int = 1,
        hurts: Callable[[bytes], bool] | None = None,
        listens: str = "127.0.0.1",
    ) -> None:
        self.there = (host, port)
        self.seed = seed
        self.hurts = hurts or (lambda first: True)
        self.toxicity = Toxicity()
        self.met: Counter[str] = Counter()
        self.exchanges = 0
        self._listening = socket.create_server((listens, 0))
        self.port: int = self._listening.getsockname()[1]
        self.address = f"{listens}:{self.port}"
        self._loop = asyncio.new_event_loop()
        self._flows = asyncio.Event()
        self._refuses = False
        self._open: dict[asyncio.Task[None], tuple[bool, asyncio.StreamWriter]] = {}
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._over: asyncio.Future[None] = self._loop.create_future()

    # ---- what a test says, from its own thread

    def stall(self) -> None:
        """From now on nothing passes; connections stand, and new ones are taken and hear nothing."""
        self._told(self._flows.clear)

    def flow(self) -> None:
        """All that waits goes on, and new connections are taken."""

        def go_on() -> None:
            self._refuses = False
            self._flows.set()

        self._told(go_on)

    def down(self) -> None:
        """Every connection that may be hurt is reset, and so is each new one, until :meth:`flow`."""

        def fall() -> None:
            self._refuses = True
            for task, (hurt, writer) in self._open.items():
                if hurt:
                    _reset(writer)
                    task.cancel()

        self._told(fall)

    def __enter__(self) -> Proxy:
        self._thread.start()
        self.flow()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._told(lambda: self._over.done() or self._over.set_result(None))
        self._thread.join(timeout=10)

    def _told(self, act: Callable[[], object]) -> None:
        self._loop.call_soon_threadsafe(act)

    # ---- the connections

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connection, sock=self._listening)
        await self._over
        server.close()
        for task in [*self._open]:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await asyncio.sleep(0)  # transports close one turn later

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = (False, writer)
        try:
            await self._carry(task, reader, writer)
        except (asyncio.CancelledError, _Broken, OSError, EOFError):
            pass
        finally:
            del self._open[task]
            writer.close()

    async def _carry(
        self, task: asyncio.Task[None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        first = await reader.read(_CHUNK)
        hurt = bool(first) and self.hurts(first)
        self._open[task] = (hurt, writer)
        if not first:
            return
        if hurt and self._refuses:
            _reset(writer)
            return
        if hurt:
            await self._flows.wait()
        there, thither = await asyncio.open_connection(*self.there)
        carried = _Exchange(self, hurt, reader, writer, there, thither)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(carried.ask(first))
                group.create_task(carried.answer())
        except* (OSError, EOFError, _Broken):
            pass
        finally:
            thither.close()

    async def gate(self, hurt: bool) -> None:
        """Wait while nothing may pass."""
        if hurt:
            await self._flows.wait()

    def drawn(self, hurt: bool) -> tuple[str, random.Random]:
        """The toxic of one more exchange, "" for none, and the chance that it goes by."""
        self.exchanges += 1
        chance = random.Random(f"{self.seed}/{self.exchanges}")
        toxicity = self.toxicity
        if not hurt or chance.random() >= toxicity.share:
            return "", chance
        toxic = chance.choices([*toxicity.weights], [*toxicity.weights.values()])[0]
        self.met[toxic] += 1
        return toxic, chance


class _Exchange:
    """One connection: what is asked and what is answered, in turns as HTTP has them."""

    def __init__(
        self,
        proxy: Proxy,
        hurt: bool,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        there: asyncio.StreamReader,
        thither: asyncio.StreamWriter,
    ) -> None:
        self.proxy, self.hurt = proxy, hurt
        self.reader, self.writer = reader, writer
        self.there, self.thither = there, thither
        self.toxic, self.chance = "", random.Random(0)
        self.begun = False  # an answer to what was asked last

    async def ask(self, first: bytes) -> None:
        self._next()
        data = first
        while data:
            if self.begun:
                self._next()
            await self.proxy.gate(self.hurt)
            if self.toxic == "down":
                self._break()
            if self.toxic == "cut request":
                self.thither.write(data[: self.chance.randrange(len(data))])
                await self.thither.drain()
                self._break()
            self.thither.write(data)
            await self.thither.drain()
            data = await self.reader.read(_CHUNK)
        self.thither.write_eof()

    async def answer(self) -> None:
        while data := await self.there.read(_CHUNK):
            await self.proxy.gate(self.hurt)
            first, self.begun = not self.begun, True
            await self._bring(data, first)
        if self.toxic == "slow close":
            await asyncio.sleep(self.proxy.toxicity.patience)
        raise _Broken

    def _next(self) -> None:
        self.begun = False
        self.toxic, self.chance = self.proxy.drawn(self.hurt)

    async def _bring(self, data: bytes, first: bool) -> None:
        toxic, chance = self.toxic, self.chance
        if toxic in ("lost", "reset"):
            self._break()
        if toxic == "timeout":
            await asyncio.sleep(self.proxy.toxicity.patience)
            self._break()
        if toxic == "html":
            await self._send(_HTML)
            raise _Broken
        if toxic == "cut":
            await self._send(data[: chance.randrange(len(data))])
            raise _Broken
        if toxic == "header" and first:
            status, _, rest = data.partition(b"\r\n")
            data = b"\r\n".join((status, chance.choice(_HEADERS), rest))
        if toxic == "latency" and first:
            await asyncio.sleep(chance.uniform(0.05, 1.5))
        await self._send(data)

    async def _send(self, data: bytes) -> None:
        size = len(data)
        if self.toxic == "slicing":
            size = self.chance.randint(1, 40)
        elif self.toxic == "bandwidth":
            size = 100
        for start in range(0, len(data), size):
            self.writer.write(data[start : start + size])
            await self.writer.drain()
            if size < len(data):
                await asyncio.sleep(0.02 if self.toxic == "bandwidth" else 0.0)

    def _break(self) -> None:
        _reset(self.writer)
        raise _Broken


def _reset(writer: asyncio.StreamWriter) -> None:
    """End it at once, as when a machine is gone: its peer reads an error, not an end."""
    sock = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
