"""The Python client where a platform or the network misbehaves: typed errors, nothing sent twice, no secret told.

Each scene is played by the plain client and by the asynchronous one, against an emulator that is a process of its own.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import agent
from tests.platforms.sandbox_process import SandboxProcess, sandbox_process

FLOW: dict[str, Any] = {
    "version": "v1",
    "type": "workflow",
    "workflow": {"dag": [{"name": "task", "spec": {"stack": "flare:7.0"}}]},
}
URL = "/v1/resources*"
TOKEN = "canary-token-7d31"  # a word that stands nowhere else


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxProcess]:
    with sandbox_process(
        "dataos", limits=False, ready_after=0.0, token=TOKEN, switches={"hide_secrets": True}
    ) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: SandboxProcess) -> SandboxProcess:
    with client_of(running) as client:
        for each in [*client.workflows.list(), *client.secrets.list()]:
            each.delete()
    running.person_creates(name="flow", workspace="public", **FLOW)
    return running


def client_of(sandbox: SandboxProcess, **words: Any) -> Any:
    return agent.connect("dataos", **{"server": sandbox.address, "token": TOKEN, "budget": "off", **words})


class Awaited:
    """The plain client behind the asynchronous one's methods, so that one scene serves both."""

    def __init__(self, inner: Any) -> None:
        object.__setattr__(self, "_inner", inner)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._inner, name, value)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name in ("resources", "workspaces", "workflows"):
            return Awaited(found)
        if name not in ("list", "get", "create", "apply", "delete", "logs", "save", "refresh"):
            return found

        async def call(*args: Any, **words: Any) -> Any:
            result = await asyncio.to_thread(found, *args, **words)
            return Awaited(result) if isinstance(result, agent.Resource) else result

        return call


@pytest.fixture(params=["plain", "asynchronous"])
def opened(request: pytest.FixtureRequest, sandbox: SandboxProcess) -> Callable[..., Any]:
    """``async with opened() as client``: either of the two."""

    @asynccontextmanager
    async def open(**words: Any) -> AsyncIterator[Any]:
        if request.param == "plain":
            with client_of(sandbox, **words) as client:
                yield Awaited(client)
        else:
            made = {"server": sandbox.address, "token": TOKEN, "budget": "off", **words}
            async with agent.connect_async("dataos", **made) as client:
                yield client

    return open


async def raised(call: Awaitable[Any], kind: type[agent.ApiError]) -> agent.ApiError:
    """The error that a call ends with: typed, with a fix, and without the token."""
    with pytest.raises(agent.AgentError) as caught:
        await call
    error = caught.value
    assert type(error) is kind, repr(error)
    assert error.fix and error.message and f"fix: {error.fix}" in error.__notes__
    assert TOKEN not in "".join(traceback.format_exception(error))
    return error


def sent_since(sandbox: SandboxProcess, number: int) -> list[str]:
    return [each["method"] for each in sandbox.requests(number)]


def last(sandbox: SandboxProcess) -> int:
    return max((each["number"] for each in sandbox.requests()), default=0)


async def test_refusals_are_errors_of_their_own(opened: Callable[..., Any], sandbox: SandboxProcess) -> None:
    async with opened() as client:
        error = await raised(client.resources.get("workflow", "none"), agent.ResourceNotFoundError)
        assert (error.status, error.code, error.platform_code) == (404, "api-not-found", "RESOURCE_NOT_FOUND")
        error = await raised(client.resources.create({"name": "flow", **FLOW}), agent.ResourceExistsError)
        assert (error.status, error.landed, error.platform_code) == (409, "no", "RESOURCE_ALREADY_EXISTS")
        sandbox.add_fault(fault="forbidden", path=URL, times=1)
        error = await raised(client.resources.list("workflow"), agent.PermissionDeniedError)
        assert (error.status, error.code) == (403, "api-forbidden")
        sandbox.add_fault(fault="html", path=URL, times=1)
        await raised(client.resources.get("workflow", "flow"), agent.UnreadableAnswerError)
        sandbox.add_fault(fault="other-identity", path=URL, times=1)
        await raised(client.resources.get("workflow", "flow"), agent.UnreadableAnswerError)
        with pytest.raises(agent.NotSupportedError, match="Workspace has no logs on this platform") as caught:
            await client.workspaces.logs("public")
    assert caught.value.fix == "it has list, create, delete"


async def test_a_wrong_token_is_told_as_such(opened: Callable[..., Any]) -> None:
    async with opened(token="wrong-token-here") as client:
        error = await raised(client.resources.get("workflow", "flow"), agent.AuthenticationError)
    assert (error.status, error.code, error.platform_code) == (401, "api-unauthorized", "UNAUTHORIZED")


async def test_a_function_that_yields_the_token_is_asked_again_after_a_401(
    opened: Callable[..., Any], sandbox: SandboxProcess
) -> None:
    asked: list[str] = []

    def token() -> str:
        asked.append("old-token-that-ended" if not asked else TOKEN)
        return asked[-1]

    async with opened(token=token) as client:
        assert (await client.resources.get("workflow", "flow")).status == "active"
        made = await client.resources.create({"name": "second", **FLOW})
    assert made.name == "second" and len(asked) == 2


async def test_a_read_is_tried_three_times(opened: Callable[..., Any], sandbox: SandboxProcess) -> None:
    async with opened() as client:
        before = last(sandbox)
        sandbox.add_fault(fault="server-error", path=URL, times=2)
        assert (await client.resources.get("workflow", "flow")).name == "flow"
        assert sent_since(sandbox, before) == ["GET"] * 3
        sandbox.add_fault(fault="server-error", path=URL, times=3)
        error = await raised(client.resources.get("workflow", "flow"), agent.ServerError)
    assert (error.status, error.code, error.landed) == (500, "api-fault", "no")


async def test_a_lost_answer_to_a_write_is_unknown_and_never_sent_again(
    opened: Callable[..., Any], sandbox: SandboxProcess
) -> None:
    async with opened() as client:
        before = last(sandbox)
        sandbox.add_fault(fault="answer-lost", method="POST", times=1)
        error = await raised(client.resources.create({"name": "second", **FLOW}), agent.OutcomeUnknown)
        assert (error.code, error.landed, error.status) == ("outcome-unknown", "unknown", None)
        assert sent_since(sandbox, before) == ["POST"]
        assert (await client.resources.get("workflow", "second")).status == "active"  # it had happened
        flow = await client.resources.get("workflow", "flow")
        before = last(sandbox)
        sandbox.add_fault(fault="server-error-after", method="DELETE", times=1)
        await raised(flow.delete(), agent.OutcomeUnknown)
        assert sent_since(sandbox, before) == ["DELETE"]
        await raised(flow.refresh(), agent.ResourceNotFoundError)


async def test_a_write_that_a_limit_refused_is_sent_when_it_may(
    opened: Callable[..., Any], sandbox: SandboxProcess
) -> None:
    async with opened(wait_max=30.0) as client:
        before = last(sandbox)
        sandbox.add_fault(do="answer", status=429, seconds=1, method="POST", times=1)
        made = await client.resources.create({"name": "second", **FLOW})
        assert made.name == "second" and sent_since(sandbox, before) == ["POST", "POST"]
    async with opened(wait_max=0.5) as client:
        before = last(sandbox)
        sandbox.add_fault(do="answer", status=429, seconds=60, method="POST", times=1)
        error = await raised(client.resources.create({"name": "third", **FLOW}), agent.RateLimitError)
        assert error.retry_after is not None and 30 < error.retry_after <= 70
        assert sent_since(sandbox, before) == ["POST"]


async def test_a_read_waits_no_longer_than_it_may(opened: Callable[..., Any], sandbox: SandboxProcess) -> None:
    async with opened(wait_max=0.5) as client:
        for call in (lambda: client.resources.get("workflow", "flow"), lambda: client.resources.list("workflow")):
            before = last(sandbox)
            sandbox.add_fault(do="answer", status=429, seconds=60, path=URL, times=1)
            error = await raised(call(), agent.RateLimitError)
            assert error.retry_after > 30 and len(sent_since(sandbox, before)) <= 1  # the pause holds for the next call
    sandbox.clear_faults()


async def test_nothing_listens_there(opened: Callable[..., Any]) -> None:
    async with opened(server="http://127.0.0.1:1") as client:
        error = await raised(client.resources.create({"name": "second", **FLOW}), agent.ConnectionFailedError)
    assert (error.status, error.landed, error.code) == (None, "no", "api-unreachable")


async def test_a_save_meets_somebody_elses_change(opened: Callable[..., Any], sandbox: SandboxProcess) -> None:
    """An object that a list showed in part is read before it is written, and the two changes are told apart."""
    async with opened() as client:
        flow = await client.resources.get("workflow", "flow")
        flow.description = "mine"
        await flow.save()  # from now on what is held is what we wrote, so that the next save looks first
        other = await client.resources.get("workflow", "flow")
        other.tags = ["theirs"]
        await other.save()
        flow.description = "mine again"
        await flow.save()
        seen = await flow.refresh()
        assert seen.description == "mine again" and "theirs" in seen.tags
        other.description = "theirs"
        with pytest.raises(agent.ConflictError, match="somebody else changed `description`"):
            await other.save()
        seen.status = "failed"
        with pytest.raises(agent.UsageError, match="`status` belongs to the platform"):
            await seen.save()
        await seen.refresh()
        seen.name = "another"
        with pytest.raises(agent.NotSupportedError, match="no members to change"):
            await seen.save()


async def test_what_the_platform_hides_is_not_erased(opened: Callable[..., Any], sandbox: SandboxProcess) -> None:
    lake = {"name": "lake", "type": "secret", "version": "v1", "secret": {"type": "key-value", "acl": "r"}}
    async with opened(secrets={"lake-key": "a-value-of-the-lake"}) as client:
        made = await client.resources.create(
            {**lake, "secret": {**lake["secret"], "data": {"a": {"secretRef": "lake-key"}}}}
        )
        await made.refresh()
        assert "a-value-of-the-lake" not in repr(made.to_dict()) + repr(made)
        with pytest.raises(AttributeError, match="was answered without `tokens`"):
            _ = made.tokens
        made.description = "of the lake"
        before = last(sandbox)
        with pytest.raises(agent.UsageError, match="does not show /secret/data"):
            await made.save()
        assert sent_since(sandbox, before) == []
        made.spec["secret"]["data"] = {"a": "another-value-of-it"}
        await made.save()
        error = await raised(client.resources.get("secret", "another-value-of-it"), agent.ResourceNotFoundError)
        assert "another-value" not in str(error)
        await made.delete()


async def test_a_client_that_is_closed_says_so(opened: Callable[..., Any]) -> None:
    async with opened() as client:
        flow = await client.resources.get("workflow", "flow")
    with pytest.raises(agent.UsageError, match="this client is closed"):
        await client.resources.list("workflow")
    with pytest.raises(agent.UsageError, match="this client is closed"):
        await flow.refresh()


def test_a_file_with_mistakes_is_told_with_its_lines_and_nothing_is_sent(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    path = tmp_path / "flow.yaml"
    path.write_text("name: second\ntype: workflow\nversion: v1\nworkflow:\n  schedul: {cron: '0 2 * * *'}\n  dag: []\n")
    before = last(sandbox)
    with client_of(sandbox) as client, pytest.raises(agent.ManifestError) as caught:
        client.resources.apply(path)
    assert str(caught.value).startswith(f"{path}:5:3: Workflow/second: `workflow.schedul` is not known")
    assert len(caught.value.problems) == 2 and any("flow.yaml:6" in note for note in caught.value.__notes__)
    assert sent_since(sandbox, before) == []
