"""Both windows of a token, and what the platform says of them."""

from __future__ import annotations

import pytest

from agent.sandbox.rate_limit import RateLimiter
from tests.unit.sandbox.support import START, TOKEN, Sandbox


async def test_the_hundredth_call_of_a_minute_is_answered_and_the_next_is_not():
    sandbox = Sandbox()
    for _ in range(99):
        assert (await sandbox.client.get("/v1/resources")).status_code == 200
    last = await sandbox.client.get("/v1/resources")
    assert last.status_code == 200 and last.headers["X-RateLimit-Remaining"] == "0"
    sandbox.clock.at += 15
    refused = await sandbox.client.post("/v1/resources", json={})
    assert refused.status_code == 429
    assert refused.json()["error"]["retry_after"] == 45
    assert refused.json()["error"]["message"] == "Rate limit exceeded. Retry after 45 seconds."
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert refused.headers["X-RateLimit-Reset"] == str(int(START) + 60)
    sandbox.clock.at += 45
    assert (await sandbox.client.get("/v1/resources")).status_code == 200


async def test_the_hour_binds_while_the_headers_speak_of_the_minute():
    sandbox = Sandbox()
    for _ in range(10):
        for _ in range(99):
            assert sandbox.world.limiter.spend(TOKEN, sandbox.clock.at).allowed
        assert (await sandbox.client.get("/v1/workspaces")).status_code == 200
        sandbox.clock.at += 60
    refused = await sandbox.client.get("/v1/workspaces")
    assert refused.status_code == 429
    assert refused.json()["error"]["retry_after"] == 3000
    assert refused.headers["X-RateLimit-Limit"] == "100" and refused.headers["X-RateLimit-Remaining"] == "100"


async def test_each_token_has_its_own_windows_and_no_token_has_none():
    sandbox = Sandbox()
    sandbox.world.limiter.windows = ((1, 60.0),)
    other = sandbox.client_with(sandbox.world.create_token("1h").value)
    assert (await sandbox.client.get("/v1/resources")).status_code == 200
    assert (await other.get("/v1/resources")).status_code == 200
    assert (await sandbox.client.get("/v1/resources")).status_code == 429
    stranger = await sandbox.client_with("wrong").get("/v1/resources")
    assert stranger.status_code == 401 and "X-RateLimit-Limit" not in stranger.headers


async def test_without_limits_nothing_is_counted_or_said():
    sandbox = Sandbox(limits=False)
    sandbox.world.limiter.windows = ((1, 60.0),)
    for _ in range(3):
        answer = await sandbox.client.get("/v1/resources")
        assert answer.status_code == 200 and "X-RateLimit-Limit" not in answer.headers


@pytest.mark.parametrize(("sliding", "at", "allowed"), [(False, 60.0, True), (True, 60.0, False), (True, 89.0, True)])
def test_a_sliding_window_frees_calls_one_by_one(sliding, at, allowed):
    limiter = RateLimiter(((2, 60.0),), sliding=sliding)
    limiter.spend(TOKEN, 0.0)
    limiter.spend(TOKEN, 29.0)
    if sliding:
        assert limiter.spend(TOKEN, 60.0).allowed
        assert limiter.spend(TOKEN, at).allowed is (at == 89.0)
    else:
        assert limiter.spend(TOKEN, 59.9).allowed is False
        assert limiter.spend(TOKEN, at).allowed is allowed


def test_a_refused_call_is_not_counted():
    limiter = RateLimiter(((1, 10.0), (2, 100.0)))
    assert limiter.spend(TOKEN, 0.0).allowed
    for second in range(1, 10):
        assert limiter.spend(TOKEN, float(second)).retry_after == 10 - second
    assert limiter.spend(TOKEN, 10.0).allowed
    assert limiter.spend(TOKEN, 20.0).retry_after == 80
    limiter.forget()
    assert limiter.spend(TOKEN, 20.0).allowed
