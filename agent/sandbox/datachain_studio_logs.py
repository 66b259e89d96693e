"""`/logs/follow/` of the emulated DataChain Studio: what a job says over a WebSocket.

The page prints frames of the types `log` and `status`; its own Python snippet and the vendor's clients read other
members, `logs` and `job`. Both are in one frame unless the switch `log_frames` leaves one of them out. Only a job that
came by the newer routes has the clients' members alone: the newer client takes any frame with a `message` for an error.
The words are those of the page's example and guesses in their style.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any

from agent.sandbox.clock import moment
from agent.sandbox.datachain_studio_jobs import ENDED, Job, status_of
from agent.sandbox.messages import json_bytes
from agent.sandbox.world import World

BATCHES = 4
_PING_SECONDS = 15.0
Event = dict[str, Any]


class Logs:
    """Lines that a test wrote, and the frames of a job. `find` gives the job as it is now."""

    def __init__(self, world: World, find: Callable[[str, str], Job | None]) -> None:
        self._world = world
        self._find = find
        self._written: dict[str, list[Event]] = {}

    def write(self, identity: str, level: str, message: str) -> None:
        line = {"time": self._world.clock.now(), "level": level, "message": message}
        self._written.setdefault(identity, []).append(line)

    async def follow(self, team: str, identity: str, *, stay: bool) -> AsyncGenerator[bytes, None]:
        """Each frame as text: all that happened, then what happens, until the job has ended or the server stops."""
        clock, told, quiet, number = self._world.clock, 0, 0.0, 0
        while not self._world.closing:
            job = self._find(team, identity)
            if job is None:
                yield json_bytes({"message": "Job not found"})
                return
            now = clock.now()
            happened = self._events(job, now)
            for event in happened[told:]:
                number += "level" in event
                yield json_bytes(self._frame(event, number, newer=job["newer"]))
                quiet = now
            told = len(happened)
            if not stay or status_of(job, now) in ENDED:
                return
            if now - quiet >= _PING_SECONDS:
                yield json_bytes({"type": "ping"})
                quiet = now
            await clock.sleep(1.0)

    def _events(self, job: Job, now: float) -> list[Event]:
        stopped = now if job["cancelled"] is None else min(now, job["cancelled"])
        events = [each for each in (*events_of(job), *self._written.get(job["id"], [])) if each["time"] <= stopped]
        if job["cancelled"] is not None:
            for time in sorted({job["cancelled"], job["cancel_ends"]}):
                if time <= now:
                    events.append({"time": time, "status": status_of(job, time), "message": "Job is canceled"})
        return sorted(events, key=lambda event: event["time"])

    def _frame(self, event: Event, number: int, *, newer: bool) -> dict[str, Any]:
        wanted = self._world.switches.log_frames
        if newer and wanted == "both":
            wanted = "client"
        timestamp = moment(event["time"])
        page: dict[str, Any]
        client: dict[str, Any]
        if "status" in event:
            progress = {"progress": event["progress"]} if "progress" in event else {}
            page = {
                "type": "status",
                "timestamp": timestamp,
                "status": event["status"].lower(),
                **progress,
                "message": event["message"],
            }
            client = {"job": {"status": event["status"]}}
        else:
            line = {"timestamp": timestamp, "level": event["level"]}
            page = {"type": "log", **line, "message": event["message"], "worker_id": "worker_1"}
            seen = {**line, "worker_id": "worker_1"} if wanted == "both" else {}
            client = {"logs": [{"id": number, "message": event["message"] + "\n", **seen}]}
        return {"page": page, "client": client}.get(wanted, {**page, **client})


def events_of(job: Job) -> list[Event]:
    """All that a job tells of itself from its creation to its end, in order, if nobody cancels it."""
    if job["cron_expression"]:
        return [{"time": job["created"], "status": "TASK", "message": "Job is scheduled"}]
    start, runs, ends = job["starts"], job["runs"], job["ends"]
    events: list[Event] = [{"time": start, "status": "CREATED", "message": "Job is created"}]
    if start > job["created"]:
        events.insert(0, {"time": job["created"], "status": "TASK", "message": "Job is scheduled"})
    events.append({"time": runs, "level": "INFO", "message": "Starting data processing job"})
    for batch in range(1, BATCHES + 1):
        time = runs + (ends - runs) * (batch - 1) / BATCHES
        message = f"Processing batch {batch} of {BATCHES}"
        events.append(
            {"time": time, "status": "RUNNING", "progress": 100 * batch // BATCHES, "message": message},
        )
        events.append({"time": time, "level": "INFO", "message": message})
        if job["outcome"] != "COMPLETE":
            break
    complete = job["outcome"] == "COMPLETE"
    last = "Job is complete" if complete else "Task failed"
    events.append({"time": ends, "level": "INFO" if complete else "ERROR", "message": last})
    events.append({"time": ends, "status": job["outcome"], "message": last})
    return events
