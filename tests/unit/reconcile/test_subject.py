"""A credential that was exchanged for another user's or tenant's is refused before anything is deleted or forgotten."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.definitions.expressions import Expression, PathTemplate
from agent.definitions.platform import Platform, SubjectRule
from agent.errors import LiveError, Refused
from agent.reconcile.target import Target
from agent.store.store import Store
from tests.simulation.kill import Life, MortalTransport
from tests.simulation.virtual_time import VirtualLoop, run
from tests.unit.reconcile.scene import INTERVAL, Scene, workflow


def web_token(**claims: object) -> str:
    parts = [json.dumps(part).encode() for part in ({"alg": "none"}, claims)]
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), "c2ln"])


ANNA, BERT = web_token(sub="anna", jti="1"), web_token(sub="bert")
ANNA_AGAIN, ANNA_ELSEWHERE = web_token(sub="anna", jti="2"), web_token(sub="anna", tid="north")


class Me(MortalTransport):
    """The platform, which also tells whoever asks for ``/v1/me`` who he is."""

    answers = 200
    then: Callable[[], None] | None = None  # after the next call

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/v1/me":
            response = await super().handle_async_request(request)
            if self.then is not None:
                self.then()
            return response
        TOLD.append(request.method)
        if self.answers != 200:
            return httpx.Response(self.answers, json={"error": {"code": "AWAY", "message": "back soon"}})
        return httpx.Response(200, json={"id": NUMBERS[request.headers["authorization"].removeprefix("Bearer ")]})


TOLD: list[str] = []
NUMBERS = {"opaque-of-anna": 1, "another-of-anna": 1, "opaque-of-bert": 2}


class Tenants(Scene):
    """The scene with a credential that may be exchanged. ``asks``: the platform is asked whose it is."""

    token = ANNA
    asks = False
    words: Mapping[str, Any] = {}

    def platform(self) -> Platform:
        rule = SubjectRule(PathTemplate("/me"), Expression("id")) if self.asks else None
        return replace(super().platform(), subject=rule)

    def wire(self, life: Life) -> MortalTransport:
        self.me = Me(self.app, life)
        return self.me

    def made(self, name: str, store: Store, life: Life, **words: Any) -> Target:
        for value in (ANNA, ANNA_AGAIN, *NUMBERS):
            self.sandbox.create_token(None, value=value)
        for value in (BERT, ANNA_ELSEWHERE):  # who may do everything, elsewhere
            self.sandbox.create_token(None, value=value, workspaces=("other",))
        return super().made(name, store, life, **words, **self.words)

    async def settled(self) -> None:
        """Both are live, and the read of the credential is no longer remembered."""
        await self.look(woken_by_git=False)
        await self.clock.sleep(INTERVAL)

    def names(self) -> list[str]:
        return sorted(key.name for key in self.target.store.rows("main"))


class Opaque(Tenants):
    token = "opaque-of-anna"
    asks = True


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., None]:
    def played(story: Callable[[Any], Coroutine[Any, Any, None]], kind: type[Tenants] = Tenants) -> None:
        loop = VirtualLoop()
        TOLD.clear()
        scene = kind(tmp_path, loop, {"a.yaml": workflow("a", 1), "b.yaml": workflow("b", 1)})
        try:
            run(story(scene), loop)
        finally:
            scene.close()

    return played


@pytest.mark.parametrize(
    ("kind", "other", "told"),
    [
        (Tenants, BERT, "anna -> bert"),
        (Tenants, ANNA_ELSEWHERE, "anna -> north/anna"),
        (Opaque, "opaque-of-bert", "1 -> 2"),
    ],
    ids=["user", "tenant", "asked"],
)
@pytest.mark.parametrize("restarted", [False, True])
def test_another_subject_is_refused_before_anything_is_sent_until_it_is_confirmed(
    play: Callable[..., None], kind: type[Tenants], other: str, told: str, restarted: bool
) -> None:
    async def story(scene: Tenants) -> None:
        await scene.settled()
        scene.commit(b=None)
        scene.token = other
        if restarted:
            scene.restart()
        mark = scene.mark
        with pytest.raises(Refused, match="its credential speaks for another subject") as caught:
            await scene.look(woken_by_git=False)
        assert caught.value.error_code == "target-changed" and caught.value.got == f"subject {told}"
        assert scene.sent_since(mark) == [] and scene.names() == ["a", "b"]
        new = told.rpartition(" ")[2]
        assert f"subject: '{new}'" in caught.value.fix
        with pytest.raises(Refused):  # it is not forgotten by asking twice
            await scene.look(woken_by_git=False)
        scene.words = {"subject": new}
        scene.restart()
        report = await scene.look(woken_by_git=False)
        assert report.plan is not None
        scene.words = {}
        scene.restart()
        await scene.look(woken_by_git=False)
        assert scene.target.store.target_memory("main")["subject"] == new

    play(story, kind)


@pytest.mark.parametrize(("kind", "fresh"), [(Tenants, ANNA_AGAIN), (Opaque, "another-of-anna")], ids=["said", "asked"])
def test_another_token_of_the_same_subject_is_a_rotation(
    play: Callable[..., None], kind: type[Tenants], fresh: str
) -> None:
    async def story(scene: Tenants) -> None:
        await scene.settled()
        scene.commit(b=None)
        scene.token = fresh
        await scene.look(woken_by_git=False)
        assert scene.names() == ["a"]
        assert len(TOLD) == (2 if kind.asks else 0)  # once a credential

    play(story, kind)


def test_the_platform_is_asked_by_get_once_a_credential_and_the_plan_counts_it(play: Callable[..., None]) -> None:
    async def story(scene: Opaque) -> None:
        report = await scene.look(woken_by_git=False)
        assert dict(report.plan.calls.reads)["probe"] == 1
        await scene.clock.sleep(INTERVAL)
        report = await scene.look(woken_by_git=False)
        assert "probe" not in dict(report.plan.calls.reads)
        assert TOLD == ["GET"]

    play(story, Opaque)


def test_what_the_platform_does_not_tell_stops_the_pass(play: Callable[..., None]) -> None:
    async def story(scene: Opaque) -> None:
        await scene.settled()
        scene.commit(b=None)
        scene.token = "opaque-of-bert"
        scene.me.answers = 503
        mark = scene.mark
        with pytest.raises(LiveError, match="back soon"):
            await scene.look(woken_by_git=False)
        assert scene.sent_since(mark) == [] and scene.names() == ["a", "b"]

    play(story, Opaque)


def test_a_token_that_is_exchanged_within_a_pass_is_not_used_in_it(play: Callable[..., None]) -> None:
    async def story(scene: Tenants) -> None:
        await scene.settled()
        scene.commit(b=None)
        mark = scene.mark

        def exchange() -> None:
            scene.token = BERT
            asyncio.get_running_loop().jump(INTERVAL)  # type: ignore[attr-defined]

        scene.me.then = exchange
        await scene.look(woken_by_git=False)
        assert len(scene.sent_since(mark)) == 1 and scene.names() == ["a", "b"]
        with pytest.raises(Refused, match="another subject"):
            await scene.look(woken_by_git=False)
        assert len(scene.sent_since(mark)) == 1

    play(story)


def test_an_empty_inventory_belongs_to_nobody_and_a_named_subject_is_held_to(play: Callable[..., None]) -> None:
    async def story(scene: Tenants) -> None:
        scene.words = {"subject": "bert"}
        scene.restart()
        mark = scene.mark
        with pytest.raises(Refused, match="does not speak for bert, whom `subject` names") as caught:
            await scene.look(woken_by_git=False)
        assert caught.value.got == "it speaks for anna" and scene.sent_since(mark) == []
        scene.words = {}
        scene.restart()
        scene.commit(a=None, b=None)
        await scene.settled()
        scene.token = ANNA_ELSEWHERE
        await scene.look(woken_by_git=False)
        assert scene.target.store.target_memory("main")["subject"] == "north/anna"

    play(story)


def test_where_nothing_tells_nothing_is_compared(play: Callable[..., None]) -> None:
    class Silent(Tenants):
        token = "opaque-of-anna"

    async def story(scene: Tenants) -> None:
        await scene.settled()
        scene.token = "opaque-of-bert"
        scene.commit(b=None)
        await scene.look(woken_by_git=False)
        assert scene.names() == ["a"] and TOLD == []

    play(story, Silent)
