"""What of a live object a manifest says, what it leaves out, and what it tells about that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from agent.definitions.platform import FieldRule, Mark, Ref, ScopeWord
from agent.importing import shaped as reasons
from agent.importing.kinds import may_stand, why_left, why_not
from agent.importing.manifest import Manifest, manifest_of
from agent.importing.shape import secret_name, shape
from agent.importing.shaped import Hidden, Shaped, Unfit
from agent.json_schema import Schema
from agent.model.identity import Key
from agent.plan.rules import RuleBook
from tests.platforms.folders import loaded
from tests.unit.plan.kinds import MARK, operation, platform, thing

KEY = Key("main", "Thing", (("room", "attic"),), "lamp")
CLOSED = {
    "type": "object",
    "additionalProperties": False,
    "required": ["size"],
    "properties": {
        "size": {"type": "integer"},
        "color": {"enum": ["red", "blue"], "default": "red"},
        "parts": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
        "config": {"type": "object"},
        "tags": {"type": "array"},
    },
}


def shaped(
    live: Mapping[str, Any],
    *fields: FieldRule,
    schema: Mapping[str, Any] | None = None,
    wires: Any = None,
    **words: Any,
) -> Shaped:
    kind = thing(
        fields=(FieldRule("/tags", list="set", own="listed"), *fields), schema=schema or {"type": "object"}, **words
    )
    return shape(RuleBook(kind, {}), Schema(kind.schema or {}, ""), KEY, live, wires)


def written(live: Mapping[str, Any], *fields: FieldRule, schema: Mapping[str, Any] | None = None) -> Manifest:
    kind = thing(fields=fields, schema=schema or {"type": "object"})
    book, compiled = RuleBook(kind, {}), Schema(kind.schema or {}, "")
    return manifest_of(platform(kind), book, compiled, KEY, shape(book, compiled, KEY, live), live)


def test_what_is_the_platforms_own_is_left_out_and_told() -> None:
    live = {"size": 3, "id": "x1", "room": "attic", "name": "lamp", "mood": "good", "extra": 1}
    done = shaped(live, FieldRule("/mood", read_only=True), schema=CLOSED)
    assert done.spec == {"size": 3}
    assert done.left_out[reasons.SERVERS] == [("mood",)]
    assert done.left_out[reasons.UNKNOWN] == [("id",), ("extra",)]
    assert done.left_out[reasons.IDENTITY] == [("name",), ("room",)]


def test_an_open_schema_keeps_what_does_not_sound_like_the_platform() -> None:
    schema = {"type": "object", "properties": {"size": {}}}
    done = shaped(
        {"size": 1, "state": "ok", "created_at": "now", "speed": 2, "config": {"state": "mine"}}, schema=schema
    )
    assert done.spec == {"size": 1, "config": {"state": "mine"}, "speed": 2}
    assert done.left_out[reasons.SOUNDS_SERVERS] == [("created_at",), ("state",)]
    assert done.open == [("config",), ("speed",)]


def test_elements_lose_what_the_platform_adds_to_them_and_stay_in_their_places() -> None:
    done = shaped({"size": 1, "parts": [{"n": 1, "id": "a"}, {"id": "b"}]}, schema=CLOSED)
    assert done.spec["parts"] == [{"n": 1}, {}]


def test_where_people_and_platform_are_kept_apart_nothing_is_guessed() -> None:
    schema = {"type": "object", "properties": {"size": {}}}
    live = {"id": "x", "spec": {"size": 1, "state": "mine"}}
    assert shaped(live, FieldRule("/*", read="/spec/*"), schema=schema).spec == {"size": 1, "state": "mine"}


def test_defaults_and_null_are_left_out() -> None:
    done = shaped({"size": 1, "color": "red", "config": None}, schema=CLOSED)
    assert done.spec == {"size": 1}
    assert done.left_out[reasons.DEFAULT] == [("color",)]
    assert shaped({"n": 5}, FieldRule("/n", default=5, has_default=True)).spec == {}


def test_members_stand_as_the_schema_has_them() -> None:
    assert list(shaped({"config": {"b": 1, "a": 2, "name": 3}, "color": "blue", "size": 1}, schema=CLOSED).spec) == [
        *("size", "color", "config")
    ]
    assert list(shaped({"config": {"b": 1, "a": 2, "name": 3}, "size": 1}, schema=CLOSED).spec["config"]) == [
        *("name", "a", "b")
    ]


def test_secrets_become_references_by_rule_by_name_and_when_masked() -> None:
    live = {"login": {"code": "hunter2-1", "password": "hunter2-2", "apiKey": "****"}, "pin": 1234, "empty": ""}
    rules = (FieldRule("/login/code", secret=True), FieldRule("/pin", secret=True), FieldRule("/empty", secret=True))
    done = shaped(live, *rules)
    assert done.spec["login"] == {
        "code": {"secretRef": "thing-lamp-login-code"},
        "password": {"secretRef": "thing-lamp-login-password"},
        "apiKey": {"secretRef": "thing-lamp-login-apikey"},
    }
    assert done.spec["pin"] == {"secretRef": "thing-lamp-pin"}
    assert done.spec["empty"] == ""


def test_the_definition_knows_better_than_a_name() -> None:
    assert shaped({"password": "by-hand"}, FieldRule("/password", secret=False)).spec == {"password": "by-hand"}


def test_in_what_travels_as_one_text_no_reference_can_stand() -> None:
    done = shaped({"env": "A=1\nDB_PASSWORD=hunter2-3"}, FieldRule("/env", encode="env"))
    assert done.spec == {"env": {"A": "1"}}
    assert done.left_out[reasons.TELLS_SECRET] == [("env", "DB_PASSWORD")]


def test_names_of_secrets_are_apart_and_such_as_a_configuration_takes() -> None:
    done = shaped({"a": {"b-c": {"password": "x1"}, "b_c": {"password": "x2"}}})
    assert sorted(done.secrets.values()) == ["thing-lamp-b-c-password", "thing-lamp-b-c-password-2"]
    assert secret_name(Key("t", "DataProduct", (), "Ünï/x"), ("…",)) == "data-product-n-x"


def test_text_with_an_address_and_its_password_is_left_out() -> None:
    done = shaped(
        {"dsn_of": "postgres://app:hunter2@db/x", "url": "https://db.example:8080/x@y", "list": ["u://a:b@c"]}
    )
    assert done.spec == {"url": "https://db.example:8080/x@y"}


def test_marks_are_no_tags_of_anybody() -> None:
    done = shaped({"tags": ["owner.main/aaaaaaaaaaaa", "datakeel.other/x", "mine"]})
    assert done.spec == {"tags": ["mine"]}
    assert shaped({"tags": ["owner.main/aaaaaaaaaaaa"]}).spec == {}
    text = Mark("/note", MARK.text, "/note", MARK.pattern, in_list=False)
    assert shaped({"note": "owner.main/aaaaaaaaaaaa", "a": 1}, mark=text).spec == {"a": 1}


def test_labels_that_the_platform_adds_are_its_own() -> None:
    live = {"tags": ["acme:type:x", "mine"], "others": ["acme:type:x"]}
    kind = thing(schema={"type": "object"})
    done = shape(RuleBook(kind, {}), Schema({}, ""), KEY, live, platform="acme")
    assert done.spec == {"others": ["acme:type:x"], "tags": ["mine"]}
    assert done.left_out[reasons.SERVERS] == [("tags", "acme:type:x")]


def test_masked_answers_files_and_placeholders_are_left_out() -> None:
    live = {"hint": "----", "file": "blob-7", "text": "<your-name>", "list": ["a", "<your name>"], "${KEY}": 1, "ok": 1}
    upload: Any = object()
    done = shaped(live, FieldRule("/hint", mask="^-+$"), FieldRule("/file", upload=upload))
    assert done.spec == {"ok": 1}
    assert done.left_out[reasons.PLACEHOLDER] == [("list",), ("text",), ("${KEY}",)]


def test_a_name_stands_for_what_the_platform_holds() -> None:
    rule = FieldRule("/source", ref=Ref("Thing", "id"))
    assert shaped({"source": "478"}, rule, wires={"/source": {"lake": "478"}}).spec == {"source": "lake"}
    done = shaped({"source": "478", "a": 1}, rule, wires={"/source": {"lake": "479"}})
    assert done.spec == {"a": 1}
    assert done.left_out[reasons.REFERENCED] == [("source",)]


def test_what_the_schema_does_not_allow_is_left_out_from_the_leaf_upwards() -> None:
    done = shaped({"size": 1, "color": "green", "parts": [{"n": "many"}, 7], "tags": "none"}, schema=CLOSED)
    assert done.spec == {"size": 1}
    assert sorted(done.left_out[reasons.UNFIT]) == [("color",), ("parts",), ("parts", "0", "n"), ("tags",)]


def test_what_the_schema_asks_for_and_live_does_not_have_makes_it_unfit() -> None:
    with pytest.raises(Unfit, match="size"):
        shaped({"color": "blue"}, schema=CLOSED)


def test_what_must_be_written_and_is_never_shown_is_for_a_person() -> None:
    schema = {
        "type": "object",
        "required": ["login"],
        "properties": {"login": {"type": "object", "required": ["code"]}},
    }
    with pytest.raises(Hidden, match=r"does not show login\.code"):
        shaped({"login": {"user": "x"}}, FieldRule("/login/code", secret=True, write_only=True), schema=schema)


def test_what_is_never_shown_is_told_where_it_may_be() -> None:
    rules = (FieldRule("/login/code", write_only=True), FieldRule("/other/code", write_only=True))
    assert shaped({"login": {"user": "x"}}, *rules).hidden == [("login", "code")]


def test_comments_tell_in_the_order_of_their_weight() -> None:
    manifest = written(
        {"size": 1, "color": "red", "extra": 1, "mood": 2}, FieldRule("/mood", read_only=True), schema=CLOSED
    )
    assert manifest.text.splitlines()[:4] == [
        "# left out, set by the platform: mood",
        "# left out, as by default: color",
        "# left out, not in the schema: extra",
        "apiVersion: made-up/v1",
    ]


def test_many_words_are_wrapped_and_cut() -> None:
    manifest = written({"size": 1, **{f"a_rather_long_member_{n:02}": n for n in range(40)}}, schema=CLOSED)
    head = [line for line in manifest.text.splitlines() if line.startswith("#")]
    assert len(head) > 1
    assert all(len(line) <= 120 for line in head)
    assert head[-1].endswith("and 29 more")


def test_a_value_that_would_be_read_as_another_one_is_not_written() -> None:
    twice = {'"on"': 1, '"off"': 1}  # two words for one value: which was meant is lost, and 1 is not what is written
    rules = (FieldRule("/power", values=twice), FieldRule("/power", encode="json"))
    assert written({"power": 1}, *rules[:1]).text.endswith('power: "off"\n')
    with pytest.raises(Unfit, match="at most"):
        written({"long": "x" * (1 << 20)})


def test_a_hidden_secret_waits_for_a_person() -> None:
    rule = FieldRule("/login/code", secret=True, mask=r"^\*+$")
    assert written({"login": {"code": "****"}}, rule).waits == ("login.code",)
    assert written({"login": {"code": "shown"}}, rule).waits == ()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ({}, ""),
        ({"create": None}, "only observed"),
        ({"mark": Mark("/tags", MARK.text, "/tags", MARK.pattern, in_list=True, is_run=True)}, "runs"),
        ({"get": None}, "no read shows"),
        ({"get": None, "list": operation("GET", "/things")}, ""),
        ({"unique": False, "mark": None}, "identify nothing"),
        ({"scope": (ScopeWord("room"),), "list": None}, ""),
    ],
)
def test_kinds_that_cannot_be_imported_say_why(words: Mapping[str, Any], reason: str) -> None:
    told = why_not(thing(**words))
    assert (reason in told) if reason else not told


@pytest.mark.parametrize(
    ("words", "owner", "health", "reason"),
    [
        ({}, None, "ready", ""),
        ({}, "mine", "failed", ""),
        ({}, "theirs", "ready", "another owner"),
        ({}, None, "gone", "being deleted"),
        ({"unique": False}, None, "ready", "identifies nothing"),
        ({"unique": False}, "mine", "ready", ""),
    ],
)
def test_objects_that_are_left_alone_say_why(words: Any, owner: str | None, health: Any, reason: str) -> None:
    told = why_left(thing(**words), owner, "mine", health)
    assert (reason in told) if reason else not told


def test_a_target_says_where_its_manifests_may_stand() -> None:
    assert may_stand({}, (("room", "attic"),))
    assert may_stand({"room": ("attic", "cellar")}, (("room", "attic"), ("house", "any")))
    assert not may_stand({"room": ("cellar",)}, (("room", "attic"),))


def test_what_a_new_project_of_gitlab_has_by_default_is_nobodys_wish() -> None:
    kind = loaded("gitlab/v4").kinds["Project"]
    schema = Schema(kind.schema or {}, "")
    plain = {name: rule["default"] for name, rule in (kind.schema or {})["properties"].items() if "default" in rule}
    live = {**plain, "name": "Lake", "visibility": "private", "merge_method": "ff"}
    done = shape(RuleBook(kind, {}), schema, Key("main", "Project", (("namespace", "shop"),), "lake"), live)
    assert len(plain) > 10
    assert done.spec == {"name": "Lake", "visibility": "private", "merge_method": "ff"}
    assert len(done.left_out[reasons.DEFAULT]) == len(plain) - 1
