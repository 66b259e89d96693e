"""Kinds, their members and platforms in words: each says what its definition and its schema say."""

from __future__ import annotations

import pytest

from agent.definitions.field_words import live_place, sent_place, special
from agent.definitions.kind_words import about_kind, about_platform
from agent.definitions.load import available, load_platform
from agent.definitions.member_words import about_member
from agent.definitions.schema_words import Said
from agent.errors import UsageError
from agent.json_schema import Schema
from agent.report.explanation_text import explanation_text
from tests.unit.definitions.writing import OPEN, shop

_SCHEMA = {
    **OPEN,
    "description": "A thing\x1b on a shelf.",
    "additionalProperties": False,
    "required": ["size"],
    "properties": {
        "colour": {"$ref": "#/$defs/colour", "description": "Colour of its lid."},
        "size": {"type": "integer", "description": "How large.", "minimum": 1, "maximum": 9, "examples": [3]},
        "parts": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/part"}},
        "labels": {"type": ["object", "null"], "additionalProperties": {"type": "string", "maxLength": 5}},
        "free": {"type": "object"},
    },
    "anyOf": [{"properties": {"lid": {"type": "boolean", "default": True, "deprecated": True}}}, {}],
    "$defs": {
        "colour": {"type": "string", "enum": ["red", "blue"], "description": "A colour."},
        "part": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
    },
}
_FIELDS = """\
      /size: {immutable: true}
      /free: {read: /status/free, write: /all/free}
      /parts/*/name: {ref: Shelf}
      /parts/*/key: {secret: true, writeOnly: true}
      /seen: {readOnly: true}
      /colour: {values: {red: r, blue: b}}
      /lid: {via: {"true": "POST /things/{id}/close", "false": "POST /things/{id}/open"}}
    actions:
      shake:
        request: "POST /things/{id}/shake"
        careful: it may break
        args: {force: {type: integer, description: How hard.}}
      weigh: {request: "GET /things/{id}/weight", unverified: nobody tried}
    logs:
      request: "GET /things/{id}/log?lines={args.tail}&of={args.part}"
      args: {tail: {type: integer}, part: {enum: [lid, box]}}
      lines: "@"
      line: {text: text}
      every: 1s
"""


def explained_kind(platform, kind):
    return explanation_text(about_kind(platform, kind))


def explained_platform(platform):
    return explanation_text(about_platform(platform))


def explained_member(platform, kind, member):
    return explanation_text(about_member(platform, kind, member))


@pytest.fixture
def platform(tmp_path):
    schema = {**_SCHEMA, "properties": {**_SCHEMA["properties"], "lid": {"type": "boolean"}}}
    return shop(tmp_path, "      /size: {immutable: true}\n", _FIELDS, schema=schema)


def test_a_kind_is_named_bounded_and_asked(platform):
    assert (
        explained_kind(platform, platform.kinds["Thing"])
        == """\
Thing · shop/v1 · managed

A thing\x1b on a shelf.

  apiVersion: shop/v1
  kind: Thing
  metadata:
    name: NAME
    shelf: SHELF  # a Shelf; else that of the target's `defaults`
  spec:

On the command line: Thing/SHELF/NAME; without SHELF, `--in` or `defaults` tell.

In `spec`, * must be there; nothing else:
  *size    integer                How large. [immutable]
   colour  string                 Colour of its lid.
   parts   list of object
   labels  map of string or null
   free    object
   lid     boolean                [has endpoints of its own]
More of one: datakeel explain Thing.size

Special below them:
  parts.*.name  names a Shelf
  parts.*.key   secret; never read back
Read-only, in no manifest: seen.

All that `datakeel explain promises shop` lists is promised, but:
  - a change of `/size` is reported and not made

Guesses, planned and not applied until the target's `confirmed` names them:
  - Thing.weigh: nobody tried

Actions, by `datakeel act Thing/NAME ACTION`:
  shake
    --arg force=INTEGER: How hard.
    careful, asks first: it may break
  weigh, which only reads
    unverified, wants `confirmed: [Thing.weigh]`: nobody tried

Logs, polled:
  datakeel logs Thing/NAME [--tail] [--follow]
    --arg part="lid"|"box"
"""
    )


def test_an_observed_kind_and_a_platform_are_short(platform):
    assert explained_kind(platform, platform.kinds["Shelf"]) == (
        "Shelf · shop/v1 · observed: no manifest may ask for one\n\nOn the command line: Shelf/NAME.\n"
    )
    assert explained_platform(platform).splitlines()[:5] == [
        "shop/v1",
        "",
        "Managed: Thing",
        "",
        "Observed only: Shelf",
    ]


@pytest.mark.parametrize(
    ("member", "lines"),
    [
        ("size", ["integer, must be there", "limits    at least 1; at most 9", "example   3", "special   immutable"]),
        ("size", ["change    reported and not made: nothing can change it"]),
        ("colour", ["Colour of its lid.", 'one of    "red", "blue"', 'travels   as r for "red", b for "blue"']),
        ("colour", ["change    in place, PUT /things/{id}"]),
        (
            "parts",
            [
                "limits    not empty",
                "Each of its elements may hold, * must be there:",
                "  *name  string  [names a Shelf]",
            ],
        ),
        ("parts.name", ["Thing.parts.*.name · shop/v1", "string, must be there", "special   names a Shelf"]),
        ("parts[name=x].name", ["Thing.parts.*.name · shop/v1"]),
        ("labels.x", ["string, optional", "limits    at most 5 characters"]),
        ("free", ["sent as   all.free", "live as   status.free"]),
        ("seen", ["read-only: the platform writes it, no manifest does"]),
        ("lid", ["boolean, optional, deprecated", "default   true", "change    in place, by a call of its own"]),
        (
            "lid",
            ["travels   POST /things/{id}/close makes it true; POST /things/{id}/open makes it false"],
        ),
    ],
)
def test_a_member_says_what_it_is_and_how_it_travels(platform, member, lines):
    told = explained_member(platform, platform.kinds["Thing"], member).splitlines()
    for line in lines:
        assert line in told, "\n".join(told)


@pytest.mark.parametrize(
    ("member", "what", "fix"),
    [
        ("sise", "the schema of Thing does not name `sise`", "did you mean Thing.size?"),
        ("parts.nam", "the schema of Thing.parts.* does not name `nam`", "did you mean Thing.parts.*.name?"),
        ("zzz", "the schema of Thing does not name `zzz`", "it names size, colour, parts, labels, free, lid"),
        ("size.x", "the schema of Thing.size does not name `x`", None),
        ("free.x", "the schema of Thing.free does not name `x`", None),
    ],
)
def test_a_member_that_is_not_known_is_refused_with_the_nearest(platform, member, what, fix):
    with pytest.raises(UsageError) as caught:
        explained_member(platform, platform.kinds["Thing"], member)
    assert (caught.value.what, caught.value.fix) == (what, fix)
    open_to_all = member in ("free.x", "parts.nam")
    assert (caught.value.why is not None) == open_to_all


def test_what_is_observed_has_no_members(platform):
    with pytest.raises(UsageError, match="Shelf is observed"):
        explained_member(platform, platform.kinds["Shelf"], "x")


def test_a_place_moves_as_the_nearest_rule_says(platform):
    thing = platform.kinds["Thing"]
    assert live_place(thing, ("free", "deep")) == ("status", "free", "deep")
    assert sent_place(thing, ("free",)) == ("all", "free")
    assert live_place(thing, ("size",)) == ("size",)
    assert special(next(rule for rule in thing.fields if rule.pointer == "/parts/*/key")) == (
        "secret",
        "never read back",
    )


@pytest.mark.parametrize("name", sorted(available()))
def test_every_bundled_kind_and_member_is_told(name):
    platform = load_platform(name)
    assert explained_platform(platform).startswith(name)
    for kind in platform.kinds.values():
        text = explained_kind(platform, kind)
        assert text.startswith(f"{kind.name} · {name} · ")
        assert all(len(line) <= 100 or " " not in line.strip() for line in text.splitlines()), text
        for action in kind.actions:
            assert f"\n  {action}" in text
        for member in Said(Schema(kind.schema, "")).members() if kind.schema is not None else ():
            assert member.description in explained_member(platform, kind, member.name).replace("\n", " ")


def test_a_member_is_told_to_programs_too(platform):
    told = about_member(platform, platform.kinds["Thing"], "size").document()
    assert told["what"] == "member"
    assert told["word"] == "Thing.size"
    assert told["told"] == {
        "type": "integer",
        "required": True,
        "deprecated": False,
        "description": "How large.",
        "members": [],
        "limits": "at least 1; at most 9",
        "example": "3",
        "special": "immutable",
        "change": "reported and not made: nothing can change it",
    }
