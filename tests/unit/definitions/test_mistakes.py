"""Every mistake in a definition is refused at its line and column, with the nearest right word; all of them at once."""

import pytest

from agent.definitions.load import load_folder
from agent.errors import EXIT_CONFIG, DefinitionError
from tests.unit.definitions.writing import shop_problems, write

THINGS = "  Thing:\n"
ALONE = "    scope: {shelf: Shelf}\n    key: name\n    id: id\n"
GET = '    get: {request: "GET /things/{id}"}\n'
LIST = '    list: {request: "GET /{settings.org}/things?shelf={shelf}", items: data}\n'
UPDATE = '    update: {request: "PUT /things/{id}"}\n'
CREATE = '    create: {request: POST /things, adds: {name: "${name}"}}\n'
DELETE = '    delete: {request: "DELETE /things/{id}"}\n'
FIELD = "      /size: {immutable: true}\n"
PROBE = "settings: {org: {type: string}}\n"

MISTAKES = [
    # the vocabulary is closed
    (PROBE, PROBE + "‸probes: GET /me\n", "unknown word `probes`", "did you mean `probe`?"),
    (THINGS, THINGS + "    ‸read_only: true\n", "unknown word `read_only` in a kind", None),
    (FIELD, "      /size: {‸read_only: true}\n", "unknown word `read_only` in a field", "did you mean `readOnly`?"),
    (DELETE, '    delete: {request: "DELETE /things/{id}", ‸adds: {}}\n', "unknown word `adds` in delete", None),
    (
        DELETE,
        '    delete: {request: "DELETE /things/{id}", careful: deletes rules, ‸dashboards and agents}\n',
        "unknown word `dashboards and agents`",
        "in a flow map `{…}` a comma ends a value: put free text in quotes",
    ),
    # values have one type
    (PROBE, PROBE + "probe: ‸7\n", "must be a request line, not a number", None),
    (PROBE, PROBE + "budget: {windows: [{requests: ‸many, every: 1m}]}\n", "must be a whole number", None),
    (PROBE, PROBE + "budget: {windows: [{requests: ‸0, every: 1m}]}\n", "must be between 1", None),
    (
        PROBE,
        PROBE + "budget: {windows: [{requests: 1, every: ‸90}]}\n",
        "must be a duration",
        "write 15s, 5m, 1h or 1d",
    ),
    (PROBE, PROBE + "budget: {windows: [{requests: 1, every: ‸0s}]}\n", "must be a duration", None),
    (PROBE, PROBE + "budget: {windows: ‸{requests: 1, every: 1s}}\n", "must be a list", None),
    (PROBE, PROBE + "budget: {windows: [‸{requests: 1}]}\n", "`every` is missing in a window", None),
    (PROBE, PROBE + "auth: ‸[]\n", "must be a map by the name of a scheme, not a list", None),
    (FIELD, "      /size: {immutable: ‸yes}\n", "must be true or false, not text", None),
    (FIELD, "      /size: {compare: ‸fuzzy}\n", "must be one of exact, case", None),
    (FIELD, "      /size: {encode: ‸base46}\n", "must be one of base64", "did you mean `base64`?"),
    (FIELD, "      /size: {mask: ‸'*['}\n", "is not a regular expression", None),
    (FIELD, "      ‸size: {immutable: true}\n", "`size` is not a JSON Pointer: it starts with `/`", None),
    (FIELD, "      ‸/si~2ze: {immutable: true}\n", "is not a JSON Pointer", None),
    (FIELD, "      /size: {values: ‸fast}\n", "must be a map from the value as written", None),
    (THINGS, "  ‸thing_two: {}\n" + THINGS, "`thing_two` is not the name of a kind", None),
    (THINGS, THINGS + "    settle: ‸soon\n", "must be a duration", None),
    (THINGS, THINGS + "    with: {type: ‸[a]}\n", "must be a constant, not a list", None),
    (THINGS, THINGS + "    unverified: ‸true\n", "must be a sentence that says why", None),
    # request lines are paths under the server
    (GET, '    get: {request: ‸"GET https://evil.example/x"}\n', "never a URL", None),
    (GET, '    get: {request: ‸"GET //evil.example/x"}\n', "never a URL", None),
    (GET, '    get: {request: ‸"GET /../x"}\n', "no segment `.` or `..`", None),
    (GET, '    get: {request: ‸"FETCH /x"}\n', "must begin with one of GET", None),
    (GET, '    get: {request: ‸"PATHC /x"}\n', "must begin with one of GET", "did you mean `PATCH`?"),
    (GET, "    get: {request: ‸/x}\n", "must begin with one of GET", None),
    (PROBE, PROBE + "base: ‸/api/\n", "without a `/` at its end", None),
    (PROBE, PROBE + "base: ‸https://x\n", "never a URL", None),
    # expressions
    (LIST, '    list: {request: GET /things, items: ‸"dta["}\n', "not a JMESPath expression", None),
    (THINGS, THINGS + "    ready: ‸" + "(" * 200 + "a" + ")" * 200 + "\n", "nests deeper", None),
    (THINGS, THINGS + "    ready: ‸" + "a" * 501 + "\n", "501 characters", None),
    (THINGS, THINGS + "    ready: ‸status == `active`\n", "'text'", None),
    (CREATE, '    create: {request: POST /things, adds: ‸{name: "{{ name }}"}}\n', "no text template", None),
    # words have a source
    (GET, '    get: {request: ‸"GET /things/{nmae}"}\n', "`{nmae}`: `nmae` has no source", "did you mean `name`?"),
    (LIST, '    list: {request: ‸"GET /things/{name}"}\n', "`name` is not known here", None),
    (
        LIST,
        '    list: {request: ‸"GET /{settings.orgs}/things"}\n',
        "no `settings.orgs`",
        "did you mean `settings.org`?",
    ),
    (GET, '    get: {request: ‸"GET /things/{with.type}"}\n', "there is no `with.type`", None),
    (GET, '    get: {request: ‸"GET /things/{settings}"}\n', "`{settings}` is a map", None),
    (GET, '    get: {request: ‸"GET /things/{name.first}"}\n', "`name` is a single value", None),
    (CREATE, '    create: {request: ‸"POST /things/{id}"}\n', "`id` is not known here", None),
    (DELETE, '    delete: {request: ‸"DELETE /things/{spec.id}"}\n', "`spec` is not known here", None),
    (THINGS, THINGS + '    headers: {X-Shelf: ‸"${shelve}"}\n', "`shelve` has no source", "did you mean `shelf`?"),
    (
        GET,
        GET + '    actions: {go: {request: ‸"POST /things/{args.n}", args: {m: {type: string}}}}\n',
        "no `args.n`",
        None,
    ),
    (ALONE, ALONE.replace("shelf: Shelf", "‸target: Shelf"), "`target` is a name of the context", None),
    # secrets
    (GET, '    get: {request: ‸"GET /things/{id}?key={secret.token}"}\n', "a secret in a request line", None),
    (GET, '    get: {request: ‸"GET /things/{token}"}\n', "a secret in a request line", None),
    (THINGS, THINGS + '    headers: {X-Key: ‸"${secret.token}"}\n', "only in `auth` and in bodies", None),
    # reads read, writes write
    (GET, '    get: {request: ‸"POST /things/{id}"}\n', "get is a read, and POST changes things", None),
    (GET, '    get: {request: ‸"DELETE /things/{id}", reads: true}\n', "cannot make a DELETE a read", None),
    (DELETE, '    delete: {request: ‸"GET /things/{id}/delete"}\n', "delete is a write, and GET is a read", None),
    (GET, '    get: {request: "GET /things/{id}", ‸body: {a: 1}}\n', "a GET has no body", None),
    (PROBE, PROBE + "probe: ‸POST /me\n", "the probe is a GET", None),
    (PROBE, PROBE + "subject: {request: ‸POST /me, is: id}\n", "whom a credential speaks for is told by a GET", None),
    (PROBE, PROBE + 'subject: {request: ‸"GET /{secret.token}", is: id}\n', "a secret in a request line", None),
    (PROBE, PROBE + "queries: {q: {request: ‸POST /q}}\n", "a query is a read", None),
    (FIELD, '      /size: {via: {"1": ‸"GET /things/{id}"}}\n', "a write is meant", None),
    (UPDATE, '    update: {request: ‸"PATCH /things/{id}"}\n', "a PATCH must say what it `sends`", None),
    # kinds are whole
    ("    key: name\n    list: {request: GET /shelves}", "    list: {request: GET /shelves}", "`key` is missing", None),
    (THINGS, "  ‸Empty: {key: name}\n" + THINGS, "the kind has no operation", None),
    (LIST + GET, "", "what cannot be observed cannot be reconciled", None),
    (UPDATE, UPDATE + '    apply: {request: "PUT /things/{name}"}\n', "excludes `create`", None),
    (
        "    list: {request: GET /shelves}\n",
        "    list: {request: GET /shelves}\n    ‸delete: {request: DELETE /x}\n",
        "is never called",
        "declare it under `actions`",
    ),
    (DELETE, "    replace: ‸deleteFirst\n", "a replacement needs `create` and `delete`", None),
    (
        THINGS,
        "  Bare: {key: name, list: {request: GET /b}, create: {request: POST /b},"
        " delete: {request: 'DELETE /b/{name}'}, replace: ‸createFirst}\n" + THINGS,
        "`createFirst` needs `id`",
        None,
    ),
    (
        THINGS,
        "  Bare: {key: name, list: {request: GET /b}, create: {request: POST /b},"
        " update: {request: 'PUT /b/{name}'}, ‸rename: {name: x}}\n" + THINGS,
        "`rename` needs `id`",
        None,
    ),
    (
        ALONE,
        ALONE.replace("id: id", "id: ‸to_string(id)"),
        "finds 'null' in an answer that holds nothing",
        None,
    ),
    (
        FIELD,
        "      /size: {upload: {request: POST /u, body: '${file.name}', value: ‸to_string(id)}}\n",
        "finds 'null' in an answer that holds nothing",
        "write `id && to_string(id)` in place of `to_string(id)`",
    ),
    (GET, GET + "    logs: {lines: logs}\n", "either `request` or `websocket`", None),
    (GET, GET + "    actions: {‸go: {careful: hot}}\n", "`request` is missing", None),
    (THINGS, THINGS + "    mark: {in: /tags, as: ‸'${target}'}\n", "without `${uid}` proves nothing", None),
    (THINGS, THINGS + "    mark: {in: /tags, as: ‸'${uid} ${shelf}'}\n", "`${shelf}` cannot be read back", None),
    # kinds name kinds
    (ALONE, ALONE.replace("Shelf", "‸Shelff"), "there is no kind `Shelff`", "did you mean `Shelf`?"),
    (ALONE, ALONE.replace("shelf: Shelf", "shelf: {kind: ‸Shel}"), "there is no kind `Shel`", None),
    (FIELD, "      /size: {ref: ‸Shelve.id}\n", "there is no kind `Shelve`", None),
    (THINGS, "  Base: {abstract: true}\n  Thing:\n    like: ‸Bse\n", "there is no kind `Bse`", "did you mean `Base`?"),
    (THINGS, "  A: {like: Shelf}\n  B: {like: ‸A}\n" + THINGS, "`like` is one step", None),
    (THINGS, "  A: {like: ‸A}\n" + THINGS, "`like` is one step", None),
    # fields
    (FIELD, "      ‸/sise: {immutable: true}\n", "`/sise` cannot occur in", None),
    (FIELD, "      /size: {read: ‸/a/*}\n", "more `*` than the pointer", None),
    (FIELD, "      /size: {readOnly: true, ‸immutable: true}\n", "no meaning for a `readOnly` member", None),
    (
        FIELD,
        "      /size: {upload: {request: POST /u, body: ‸'${file.nme}', value: id}}\n",
        "there is no `file.nme`",
        "did you mean `file.name`?",
    ),
    # pages, auth, native
    (PROBE, PROBE + "‸pages: {by: page, at: p}\n", "nothing tells which page is the last", None),
    (PROBE, PROBE + "‸pages: {by: offset, total: t}\n", "need `at`", None),
    (PROBE, PROBE + "‸pages: {by: cursor, at: c}\n", "need `next`", None),
    (PROBE, PROBE + "‸pages: {by: page, at: p, ask: 5, total: t}\n", "go together", None),
    (PROBE, PROBE + "pages: {by: page, at: p, ‸short: true}\n", "`short` needs `ask`", None),
    (PROBE, PROBE + "auth: {‸a: {value: '${secret.x}'}}\n", "exactly one of header, query, cookie, basic", None),
    (PROBE, PROBE + "auth: {‸a: {header: X}}\n", "`value` is missing", None),
    (PROBE, PROBE + "auth: {a: {header: X, value: ‸'${token}'}}\n", "only in a scheme that has a `login`", None),
    (PROBE, PROBE + "auth: {a: {header: X, value: ‸'${secret}'}}\n", "name a member", None),
    (PROBE, PROBE + "auth: {a: {header: X, value: '${secret.x}', ‸lasts: n}}\n", "there is none", None),
    (
        PROBE,
        PROBE + "auth: {‸a: {login: {request: POST /l}, token: t, header: X, value: '${token}'}}\n",
        "either `lasts`",
        None,
    ),
    (PROBE, PROBE + "events: [‸{when: a, kind: Thing}]\n", "by `metadata.name` or by `id`", None),
    (PROBE, PROBE + "server: ‸http://shop.example\n", "is not an origin", None),
    (PROBE, PROBE + "server: ‸https://shop.example/api\n", "is not an origin", None),
    (PROBE, PROBE + "‸server: https://shop.example\n", "only a definition that travels with the package", None),
    (PROBE, PROBE + "native: [‸{when: a, metadata: {name: a}}]\n", "either `kind` or `with`", None),
    (PROBE, PROBE + "native: [{when: a, kind: ‸Thin, metadata: {name: a}}]\n", "there is no kind `Thin`", None),
    (
        PROBE,
        PROBE + "native: [{when: a, with: {‸type: t}, metadata: {name: a}}]\n",
        "no kind has a constant `type`",
        None,
    ),
    (PROBE, PROBE + "native: [{when: a, kind: Thing, ‸metadata: {shelf: s}}]\n", "what the `name` is", None),
    (
        PROBE,
        PROBE + "native: [{when: a, kind: Thing, metadata: {name: n, ‸shelve: s}}]\n",
        "a scope word of no kind",
        None,
    ),
]


@pytest.mark.parametrize(("old", "new", "what", "fix"), MISTAKES)
def test_a_mistake_is_refused_at_its_place(tmp_path, old, new, what, fix):
    problems, place = shop_problems(tmp_path, old, new)
    matching = [problem for problem in problems if what in problem.what]
    assert matching, [problem.what for problem in problems]
    problem = matching[0]
    assert problem.code == "definition-invalid"
    assert problem.where.path.endswith("platform.yaml")
    if place:
        assert (problem.where.line, problem.where.column) == place
    if fix:
        assert problem.fix == fix


def test_an_optional_scope_word_may_stand_in_a_query_and_not_in_a_path(tmp_path):
    optional = ALONE.replace("shelf: Shelf", "shelf: {kind: Shelf, optional: true}")
    problems, _ = shop_problems(tmp_path / "a", ALONE, optional)
    assert not problems
    problems, _ = shop_problems(tmp_path / "b", ALONE + LIST, optional + LIST.replace("things?", "{shelf}/things?"))
    assert ["may be absent" in problem.what for problem in problems] == [True]


def test_a_parent_without_an_object_has_no_members(tmp_path):
    nameless = ALONE.replace("shelf: Shelf", "shelf: {}")
    problems, _ = shop_problems(tmp_path, ALONE + LIST, nameless + LIST.replace("{shelf}", "{shelf.id}"))
    assert [problem.what for problem in problems] == ["`{shelf.id}`: `shelf` is a single value and has no member `id`"]


def test_an_unknown_word_of_a_body_is_placed_and_the_nearest_named(tmp_path):
    new = '    create: {request: POST /things, adds: ‸{name: "${name}", x: "${tarjet}"}}\n'
    ((problem,), place) = shop_problems(tmp_path, CREATE, new)
    assert problem.what == "`${tarjet}`: `tarjet` has no source"
    assert problem.fix == "did you mean `target`?"
    assert (problem.where.line, problem.where.column) == place


def test_apply_excludes_create_and_update(tmp_path):
    new = UPDATE + '    apply: {request: "PUT /things/{name}"}\n'
    problems, _ = shop_problems(tmp_path, UPDATE, new)
    assert [problem.subject for problem in problems] == ["kinds.Thing.create", "kinds.Thing.update"]


def test_a_kind_without_an_id_has_none_in_its_requests(tmp_path):
    problems, _ = shop_problems(tmp_path, "    id: id\n", "")
    assert {problem.what for problem in problems} == {"`{id}`: `id` is not known here"}
    assert len(problems) == 3


def test_if_match_needs_a_get(tmp_path):
    new = '    update: {request: "PUT /things/{id}", ‸ifMatch: true}\n'
    problems, place = shop_problems(tmp_path, GET + CREATE + UPDATE, CREATE + new)
    assert [(p.where.line, p.where.column) for p in problems if "etag" in p.what] == [place]


def test_a_catch_all_kind_is_managed(tmp_path):
    problems, _ = shop_problems(tmp_path, "  Shelf:\n", "  Shelf:\n    general: anything\n")
    assert [problem.what for problem in problems] == ["only a managed kind can be a catch-all"]


def test_all_mistakes_come_at_once_in_the_order_of_their_places(tmp_path):
    new = '    get: {request: "GET /things/{nmae}", items: data}\n    ready: "a["\n    settle: 3\n'
    problems, _ = shop_problems(tmp_path, GET, new)
    assert [problem.what.split(":")[0] for problem in problems] == [
        "`{nmae}`",
        "unknown word `items` in get",
        "not a JMESPath expression",
        "must be a duration",
    ]
    assert [problem.where.line for problem in problems] == [14, 14, 15, 16]


def test_a_mistake_that_many_kinds_inherit_is_one(tmp_path):
    text = """\
platform: many
version: v1
format: 1
kinds:
  Base: {abstract: true, key: name, list: {request: "GET /x/{nmae}"}}
  A: {like: Base}
  B: {like: Base}
"""
    with pytest.raises(DefinitionError) as caught:
        load_folder(write(tmp_path, text), bundled=False)
    assert len(caught.value.problems) == 1
    assert caught.value.exit_status == EXIT_CONFIG
    assert caught.value.where.line == 5


def test_a_mistake_in_an_abstract_kind_that_no_kind_is_like_is_found(tmp_path):
    new = '  ‸Base: {abstract: true, list: {request: "GET /{with.a}/{nmae.b}/{live}"}}\n' + THINGS
    problems, _ = shop_problems(tmp_path, THINGS, new)
    assert [p.what for p in problems] == ["`{live}`: `live` is not known here"]


def test_a_mistake_in_an_extended_definition_is_placed_in_its_file(tmp_path):
    write(
        tmp_path / "base", "platform: base\nversion: v1\nformat: 1\nkinds:\n  A: {key: '[', list: {request: GET /a}}\n"
    )
    folder = write(tmp_path / "over", "platform: over\nversion: v1\nformat: 1\nextends: base/v1\nprobe: POST /x\n")
    with pytest.raises(DefinitionError) as caught:
        load_folder(folder, bundled=False, search=[tmp_path])
    places = [(problem.where.path, problem.where.line) for problem in caught.value.problems]
    assert places == [(str(tmp_path / "base" / "platform.yaml"), 5), (str(tmp_path / "over" / "platform.yaml"), 5)]
