"""Runs of pipelines of the emulated Datalinx AI, and the webhooks that tell how they ended.

The page prints the payload of `pipeline.completed` and says "configure webhooks in workspace settings". Guesses: those
settings are `config.webhooks`, a list of `{"url": …, "events": […]}`; a run is made by `POST /pipelines/{id}/run`, for
the page has the command `datalinx pipeline run` only; a run that fails is told by the same event. An event leaves with
the first request after its moment, since nothing moves in a sandbox between requests.
Called by :mod:`agent.sandbox.datalinx`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.sandbox.clock import moment
from agent.sandbox.datalinx_collections import Collections
from agent.sandbox.datalinx_kinds import KINDS
from agent.sandbox.messages import Refusal
from agent.sandbox.numbers import Numbers
from agent.sandbox.shelf import Record, Shelf
from agent.sandbox.world import Author, World

COMPLETED = "pipeline.completed"


class Runs:
    """Kept below the pipeline's id."""

    def __init__(self, world: World, shelf: Shelf, collections: Collections) -> None:
        self._world = world
        self._shelf = shelf
        self._collections = collections
        self._numbers = Numbers(shelf)
        self._untold = [
            record for scope in shelf.scopes("run") for record in shelf.all("run", scope).values() if not record["told"]
        ]

    def start(self, pipeline: Record, workspace: str, sent: Mapping[str, Any], author: Author) -> dict[str, Any]:
        switches, now = self._world.switches, self._world.clock.now()
        fails = pipeline["name"] in switches.fail_names or (
            switches.fail_share > 0 and self._world.random.random() < switches.fail_share
        )
        record = {
            "id": f"run_{self._numbers.next()}",
            "pipeline_id": pipeline["id"],
            "workspace": workspace,
            "asked": dict(sent),
            "created": now,
            "ready_at": now + switches.ready_after,
            "outcome": switches.failed_status if fails else "success",
            "told": False,
        }
        shown = {**self.shown(record), "status": "running"}
        self._shelf.commit("run", pipeline["id"], record["id"], record, author, before=None, after=shown)
        self._untold.append(record)
        self.tell()
        return shown

    def all(self, pipeline: Record, lag: float = 0.0) -> list[Record]:
        """Newest first."""
        return list(self._shelf.all("run", pipeline["id"], lag).values())[::-1]

    def find(self, pipeline: Record, name: str, lag: float = 0.0) -> Record:
        record = self._shelf.get("run", pipeline["id"], name, lag)
        if record is None:
            raise Refusal(404, "RUN_NOT_FOUND", "Run not found")
        return record

    def shown(self, record: Record) -> dict[str, Any]:
        ready = self._world.clock.now() >= record["ready_at"]
        ended = {"completed_at": moment(record["ready_at"])} if ready else {}
        return {
            "id": record["id"],
            "pipeline_id": record["pipeline_id"],
            "workspace": record["workspace"],
            "status": record["outcome"] if ready else "running",
            "created_at": moment(record["created"]),
            **ended,
        }

    def forget(self, pipeline: Record) -> None:
        """The pipeline is gone."""
        self._untold = [record for record in self._untold if record["pipeline_id"] != pipeline["id"]]
        for name in [*self._shelf.all("run", pipeline["id"])]:
            self._shelf.keep("run", pipeline["id"], name, None)

    def tell(self) -> None:
        """Post what has ended to those who asked for it."""
        now = self._world.clock.now()
        due = [record for record in self._untold if now >= record["ready_at"]]
        if not due:
            return
        self._untold = [record for record in self._untold if now < record["ready_at"]]
        for record in due:
            payload = {
                "event": COMPLETED,
                "workspace": record["workspace"],
                "pipeline_id": record["pipeline_id"],
                "status": record["outcome"],
                "timestamp": moment(record["ready_at"]),
            }
            self._shelf.keep("run", record["pipeline_id"], record["id"], {**record, "told": True})
            for url in self._subscribers(record["workspace"]):
                self._world.webhooks.post(url, payload)

    def _subscribers(self, workspace: str) -> list[str]:
        record = self._collections.named(KINDS["workspace"], "", workspace)
        config = {} if record is None else record["body"].get("config", {})
        hooks = config.get("webhooks", [])
        return [
            hook["url"]
            for hook in (hooks if isinstance(hooks, list) else [])
            if isinstance(hook, Mapping)
            and isinstance(hook.get("url"), str)
            and hook["url"].startswith(("http://", "https://"))
            and COMPLETED in hook.get("events", [COMPLETED])
        ]
