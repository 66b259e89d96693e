"""What the same work costs at the least: PyYAML's own C loader over the bytes, and a bare aiohttp client for the calls.

Called by ``worker``. Nothing of the agent is used to measure a floor; the corpus is made before the clock runs.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from tests.benchmarks import corpus
from tests.benchmarks.stage import CONCURRENCY, TOKEN, Stage

Walk = tuple[Sequence[str], Mapping[str, str]]
"""Requests that follow one another, and the headers of each."""
_PAGE = 100


def parse(contents: Sequence[bytes]) -> int:
    """Parse every file; the number of documents."""
    return sum(1 for content in contents for _ in yaml.load_all(content, yaml.CSafeLoader))


def requests_of(stage: Stage, *, gets: bool) -> list[Walk]:
    """The pages of each list, and each read."""
    documents = [next(yaml.load_all(text, yaml.CSafeLoader)) for text in corpus.documents(stage.size)]
    reads: list[list[str]] = []
    counts: dict[str, int] = {}
    for document in documents:
        metadata = document.get("metadata", document)
        name, workspace = metadata["name"], metadata.get("workspace")
        type_ = document.get("type") or document["kind"].lower()
        place = f"&workspace={workspace}" if workspace else ""
        lists = f"/v1/resources?type={type_}{place}"
        counts[lists] = counts.get(lists, 0) + 1
        query = f"?workspace={workspace}" if workspace else ""
        reads.append([f"/v1/resources/{type_}/{name}{query}"])
    walks = [
        [f"{request}&limit={_PAGE}&offset={offset}" for offset in range(0, count, _PAGE)]
        for request, count in sorted(counts.items())
    ]
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return [(paths, headers) for paths in (*walks, *(reads if gets else ()))]


async def calls(stage: Stage, walks: Sequence[Walk]) -> int:
    """Send everything, ten in flight, and decode each answer with the standard library."""
    import aiohttp

    waiting = list(reversed(walks))
    sent = 0
    connector = aiohttp.TCPConnector(limit=CONCURRENCY)
    async with aiohttp.ClientSession(stage.server, connector=connector) as session:

        async def work() -> None:
            nonlocal sent
            while waiting:
                paths, headers = waiting.pop()
                for path in paths:
                    await _call(session, path, headers)
                    sent += 1

        await asyncio.gather(*(work() for _ in range(CONCURRENCY)))
    return sent


async def _call(session: Any, path: str, headers: Mapping[str, str]) -> Any:
    async with session.get(path, headers=headers) as answer:
        body = await answer.read()
        assert answer.status == 200, f"{path}: {answer.status}"
        return json.loads(body)
