"""Messages to a real receiver on loopback: what arrives, signed by what, and which answers are taken for what."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

import agent
from agent.clock import SystemClock
from agent.errors import ConfigError
from agent.model.alert import Alert, Fact, Message
from agent.model.identity import Revision
from agent.notify.chat import Chat
from agent.notify.sending import NotSent
from agent.notify.webhook import Webhook, filled, signed
from agent.report.cloud_events import alert_event, applied_event
from agent.sandbox import create_app
from tests.receiver import Receiver

FACT = Fact("change.failed", "analytics", "Workflow/public/daily", "Rejected", "the platform said no", "d1")
EVENT = alert_event(Alert(FACT, 100.0, 160.0, 1), "found", Revision("4f2c1ab" + "0" * 33), id_="event-1", now=160.0)
MESSAGE = Message(1, "event-1", "pager", EVENT, 160.0, 160.0)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def send(sink: Webhook | Chat, message: Message = MESSAGE) -> None:
    asyncio.run(sink(message))


def test_a_signature_is_that_of_the_published_example() -> None:
    # https://docs.svix.com/receiving/verifying-payloads/how-manual, the same scheme
    body = b'{"event_type":"ping","data":{"success":true}}'
    headers = signed("whsec_plJ3nmyCDGBKInavdOK15jsl", "msg_loFOjxBNrRLzqYUf", 1731705121, body)
    assert headers["webhook-signature"] == "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="
    with pytest.raises(ConfigError, match="base64"):
        signed("whsec_no base64", "id", 1, body)


def test_what_arrives_is_a_signed_cloud_event(receiver: Receiver) -> None:
    secrets = iter(["first-secret", "second-secret"])
    sink = Webhook(lambda: receiver.address + "/alerts", SystemClock(), lambda: next(secrets), lambda: "a-token")
    send(sink)
    send(sink)
    for got, secret in zip(receiver.received, (b"first-secret", b"second-secret"), strict=True):
        assert got.path == "/alerts"
        assert got.headers["content-type"] == "application/cloudevents+json"
        assert got.headers["authorization"] == "Bearer a-token"
        assert got.headers["webhook-id"] == "event-1", "the same at each attempt, so that a receiver can tell"
        content = f"event-1.{got.headers['webhook-timestamp']}.".encode() + got.body
        mac = base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode()
        assert got.headers["webhook-signature"] == f"v1,{mac}"
    event = json.loads(receiver.received[0].body)
    assert {name: event[name] for name in ("specversion", "id", "source", "type", "subject", "time")} == {
        "specversion": "1.0",
        "id": "event-1",
        "source": "/datakeel/analytics",
        "type": "datakeel.change.failed",
        "subject": "Workflow/public/daily",
        "time": "1970-01-01T00:02:40.000Z",
    }
    assert event["data"]["summary"] == "change.failed: Workflow/public/daily of analytics: the platform said no"
    assert event["data"]["lasted_seconds"] == 60


def test_a_body_of_ones_own_marks_a_deployment(receiver: Receiver) -> None:
    revision = Revision("4f2c1ab" + "0" * 33, author="ann", subject="an hour later")
    event = applied_event("analytics", revision, [], 0, id_="event-2", now=5.0)
    body = {"name": "deploy {short}", "description": "{subject} ({target})", "count": "{applied}", "keep": "{nothing}"}
    send(Webhook(lambda: receiver.address, SystemClock(), body=body), Message(2, "event-2", "marks", event, 5.0, 5.0))
    assert receiver.received[0].headers["content-type"] == "application/json"
    assert json.loads(receiver.received[0].body) == {
        "name": "deploy 4f2c1ab",
        "description": "analytics (analytics)",
        "count": 0,
        "keep": "{nothing}",
    }
    assert filled(["{a}", {"b": "x {a}"}, 1], {"a": None}) == [None, {"b": "x "}, 1]


@pytest.mark.parametrize(
    ("status", "headers", "never", "wait"),
    [
        (500, {}, False, 0.0),
        (429, {"retry-after": "30"}, False, 30.0),
        (401, {}, False, 0.0),
        (410, {}, True, 0.0),
        (400, {}, True, 0.0),
    ],
)
def test_what_an_answer_means(
    receiver: Receiver, status: int, headers: dict[str, str], never: bool, wait: float
) -> None:
    receiver.answers.append((status, headers))
    with pytest.raises(NotSent, match=f"answered {status}") as refused:
        send(Webhook(lambda: receiver.address, SystemClock()))
    assert (refused.value.never, refused.value.wait_seconds) == (never, wait)


def test_a_redirect_leads_nowhere(receiver: Receiver) -> None:
    receiver.answers.append((307, {"location": receiver.address + "/elsewhere"}))
    with pytest.raises(NotSent, match="answered 307"):
        send(Webhook(lambda: receiver.address, SystemClock(), token=lambda: "a-token"))
    assert len(receiver.received) == 1


def test_nobody_there_and_no_address() -> None:
    with Receiver() as gone:
        address = gone.address
    with pytest.raises(NotSent, match="no answer"):
        send(Webhook(lambda: address, SystemClock()))
    with pytest.raises(NotSent, match="its address is none"):
        send(Webhook(lambda: "no address", SystemClock()))

    def missing() -> str:
        raise ConfigError("the variable HOOK is not set")

    with pytest.raises(NotSent, match="HOOK"):
        send(Webhook(lambda: address, SystemClock(), missing))


def test_a_chat_gets_a_title_and_a_sentence(receiver: Receiver) -> None:
    pytest.importorskip("apprise", reason="the extra notify is not installed")
    address = receiver.address.replace("http://", "json://")
    send(Chat(lambda: address))
    told = json.loads(receiver.received[0].body)
    assert told["title"] == "datakeel: change.failed: Workflow/public/daily"
    assert told["message"] == EVENT["data"]["summary"]
    assert told["type"] == "failure"
    receiver.answers.append((500, {}))
    with pytest.raises(NotSent, match="did not take it"):
        send(Chat(lambda: address))
    with pytest.raises(NotSent, match="none that apprise knows"):
        send(Chat(lambda: "no such thing"))


def test_the_recipe_of_the_configuration_page_marks_a_deployment_in_dataloop() -> None:
    text = (Path(agent.__file__).parent / "docs/reference/configuration.md").read_text(encoding="utf-8")
    block = next(block for block in text.split("```yaml\n") if "app.dataloop.io" in block).partition("```")[0]
    webhook = yaml.safe_load(block)["notifications"]["sinks"]["marks"]["webhook"]
    path = webhook["url"].removeprefix("https://app.dataloop.io")
    path = path.replace("/production/", "/default/")  # the account that the emulator has
    app = create_app(platform="dataloop", token="a-token")
    made = app.state.sandbox
    revision = Revision("4f2c1ab" + "0" * 33, author="ann", subject="an hour later")
    event = applied_event("analytics", revision, [], 0, id_="event-3", now=5.0)
    sink = Webhook(
        lambda: f"http://sandbox.example{path}",
        SystemClock(),
        token=lambda: "a-token",
        body=webhook["body"],
        client=lambda: httpx.AsyncClient(transport=httpx.ASGITransport(app)),
    )
    try:
        send(sink, Message(3, "event-3", "marks", event, 5.0, 5.0))
        posts = [each for each in made.requests if each.method == "POST"]
        assert [each.path for each in posts] == [path]
        assert "datakeel analytics 4f2c1ab" in posts[0].body
    finally:
        made.close()
