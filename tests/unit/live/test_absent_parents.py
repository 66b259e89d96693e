"""What is asked of something that is not there: every read may say so in words of its own, and all mean the same."""

from __future__ import annotations

from agent.live.absent_parents import is_nowhere, without_parent
from agent.model.identity import Key
from agent.model.resource import Absent, Observation, Present, Unknown
from tests.platforms.folders import loaded

KINDS = loaded("dataloop/v1").kinds
SHOP = (("account", "shop"),)
ACCOUNT, PROBE = Key("t", "Account", (), "shop"), Key("t", "Plugin", SHOP, "probe")
FAILED = Unknown("api-broken", "an error page")
THERE = Present({}, None, None, None, 0.0)


def test_what_could_not_be_read_in_an_absent_account_is_absent() -> None:
    seen: dict[Key, Observation] = {ACCOUNT: Absent("lists", 1.0), PROBE: FAILED}
    assert without_parent(seen, KINDS, 2.0) == {PROBE: Absent("parent", 2.0)}
    assert without_parent({**seen, ACCOUNT: FAILED}, KINDS, 2.0) == {}


def test_a_list_that_fails_in_an_absent_account_hides_nothing() -> None:
    seen: dict[Key, Observation] = {ACCOUNT: Absent("lists", 1.0), PROBE: Absent("get", 1.0)}
    assert is_nowhere("Plugin", SHOP, seen, KINDS)
    assert not is_nowhere("Plugin", SHOP, {**seen, ACCOUNT: THERE}, KINDS)
    assert not is_nowhere("Plugin", SHOP, {**seen, ACCOUNT: FAILED}, KINDS)
    assert not is_nowhere("Account", (), seen, KINDS)  # the list of accounts is asked of nothing that could be absent
    assert not is_nowhere("Plugin", (("account", "other"),), seen, KINDS)
