"""Webhooks: who is told what. Their REST paths are a guess; the payload is the page's."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.unit.sandbox.support import WORKFLOW, Sandbox

HOOK = {"url": "https://myapp.example.com/webhook", "events": ["resource.created", "resource.updated"]}


async def test_events_are_sent_in_order_to_those_who_asked_for_them():
    sent: list[tuple[str, dict]] = []

    async def send(url: str, payload: bytes) -> None:
        sent.append((url, json.loads(payload)))
        if len(sent) == 1:
            raise OSError("refused")

    sandbox = Sandbox(send_webhook=send)
    await sandbox.client.post("/v1/webhooks", json={**HOOK, "resources": ["workflow"]})
    await sandbox.create()
    await sandbox.client.post("/v1/resources", json={"name": "s", "version": "v1", "type": "service"})
    await sandbox.client.put("/v1/resources/workflow/daily-etl?workspace=analytics", json=WORKFLOW)
    await sandbox.client.delete("/v1/resources/workflow/daily-etl?workspace=analytics")
    await asyncio.sleep(0.01)
    assert [(url, payload["event"]) for url, payload in sent] == [
        (HOOK["url"], "resource.created"), (HOOK["url"], "resource.updated"),
    ]  # fmt: skip
    assert [delivery.error for delivery in sandbox.world.webhooks.delivered] == ["refused", ""]


async def test_without_a_sender_events_are_kept_and_nothing_is_sent():
    sandbox = Sandbox()
    await sandbox.client.post("/v1/webhooks", json={"url": HOOK["url"], "events": ["resource.deleted"]})
    sandbox.world.person_create(WORKFLOW)
    sandbox.world.person_delete("workflow", "daily-etl", workspace="analytics")
    (delivery,) = sandbox.world.webhooks.delivered
    assert delivery.payload["resource"] == {
        "type": "workflow", "name": "daily-etl", "workspace": "analytics", "status": "deleted",
    }  # fmt: skip


async def test_a_deleted_webhook_hears_nothing():
    sandbox = Sandbox()
    made = (await sandbox.client.post("/v1/webhooks", json=HOOK)).json()["webhook"]
    assert (await sandbox.client.get("/v1/webhooks")).json()["data"] == [made]
    assert (await sandbox.client.delete(f"/v1/webhooks/{made['id']}")).status_code == 200
    assert (await sandbox.client.delete(f"/v1/webhooks/{made['id']}")).status_code == 404
    await sandbox.create()
    assert not sandbox.world.webhooks.delivered


@pytest.mark.parametrize(
    "change",
    [{"url": "file:///etc/passwd"}, {"url": None}, {"events": []}, {"events": ["other"]}, {"resources": "all"}],
)
async def test_a_wrong_subscription_is_refused(change):
    sandbox = Sandbox()
    assert (await sandbox.client.post("/v1/webhooks", json={**HOOK, **change})).status_code == 400
