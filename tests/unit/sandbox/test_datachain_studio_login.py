"""Device login of the emulated DataChain Studio: a token is asked for, waited for, used, and given back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.platforms.test_datachain_studio_page import TEAM, Studio
from tests.unit.sandbox.support import Sandbox

BODY = {"client_name": "DataChain", "token_name": "x", "expires_in_days": 1}


@pytest.fixture
def studio() -> Studio:
    studio = Studio()
    del studio.client.headers["authorization"]
    return studio


async def begun(studio: Studio, **changes: Any) -> dict[str, Any]:
    answer = await studio.client.post("/api/device-login", json={**BODY, **changes})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def token_of(studio: Studio, login: dict[str, Any]) -> str:
    studio.sandbox.clock.at += 2
    answer = await studio.client.post(login["token_uri"], json={"code": login["device_code"]})
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


async def datasets(studio: Studio, token: str, team: str = TEAM) -> int:
    headers = {"Authorization": f"token {token}"}
    return (await studio.client.get(f"/api/datachain/datasets?team_name={team}", headers=headers)).status_code


async def test_a_login_names_what_the_client_reads(studio):
    login = await begun(studio)
    assert set(login) == {"device_code", "user_code", "verification_uri", "token_uri", "token_name", "expires_in"}
    assert login["token_name"] == "x"
    assert login["token_uri"] == "http://sandbox/api/device-login/token"


async def test_a_token_is_pending_then_given_once(studio):
    login = await begun(studio)
    waiting = await studio.client.post(login["token_uri"], json={"code": login["device_code"]})
    assert (waiting.status_code, waiting.json()) == (400, {"detail": "authorization_pending"})
    assert await datasets(studio, await token_of(studio, login)) == 200
    again = await studio.client.post(login["token_uri"], json={"code": login["device_code"]})
    assert (again.status_code, again.json()) == (400, {"detail": "authorization_expired"})


async def test_a_login_that_waits_too_long_is_void(studio):
    login = await begun(studio)
    studio.sandbox.clock.at += 900
    answer = await studio.client.post(login["token_uri"], json={"code": login["device_code"]})
    assert answer.json() == {"detail": "authorization_expired"}


async def test_a_token_is_held_to_its_scopes_teams_and_days(studio):
    token = await token_of(studio, await begun(studio, scopes=["experiments"]))
    assert await datasets(studio, token) == 403
    token = await token_of(studio, await begun(studio, team_names=["other"]))
    assert [await datasets(studio, token, team) for team in (TEAM, "other")] == [403, 200]
    studio.sandbox.clock.at += 86_400
    assert await datasets(studio, token, "other") == 401
    token = await token_of(studio, await begun(studio, never_expires=True))
    studio.sandbox.clock.at += 1000 * 86_400
    assert await datasets(studio, token) == 200


async def test_logging_out_ends_the_token(studio):
    token = await token_of(studio, await begun(studio))
    headers = {"Authorization": f"token {token}"}
    assert (await studio.client.post("/api/device-logout", headers=headers)).status_code == 200
    assert await datasets(studio, token) == 401
    assert (await studio.client.post("/api/device-logout", headers=headers)).status_code == 401


@pytest.mark.parametrize(
    "change", [{"client_name": ""}, {"scopes": ["JOB"]}, {"scopes": "DATASETS"}, {"expires_in_days": 0}]
)
async def test_a_login_that_cannot_be_is_refused(studio, change):
    answer = await studio.client.post("/api/device-login", json={**BODY, **change})
    assert answer.status_code == 400 and answer.json()["message"]


async def test_a_login_is_posted(studio):
    assert (await studio.client.get("/api/device-login")).status_code == 405


async def test_addresses_are_below_the_platform_s_name_where_it_is_served_there():
    sandbox = Sandbox(platform=["datachain-studio", "dataos"])
    login = (await sandbox.client.post("/datachain-studio/api/device-login", json=BODY)).json()
    assert login["token_uri"] == "http://sandbox/datachain-studio/api/device-login/token"
