"""A folder becomes a Platform: defaults applied, inheritance resolved, everything compiled."""

import shutil
import time

import pytest

from agent.definitions.expressions import Expression
from agent.definitions.load import load_folder, load_platform
from agent.definitions.platform import Pages, Position, Ref, ScopeWord, Window
from agent.errors import EXIT_CONFIG, DefinitionError
from tests.unit.definitions.writing import CLOSED, OPEN, PLATFORMS, SHOP, shop, write


def load(name, **options):
    return load_folder(PLATFORMS / name, bundled=True, search=[PLATFORMS], **options)


class TestTheFivePlatformsOfTheDesign:
    def test_dataos(self):
        platform = load("dataos")
        assert platform.api_version == "dataos/v1"
        assert platform.server == "https://api.dataos.io"
        assert platform.base.source == "/v1"
        assert platform.budget.windows == (Window(100, 60.0), Window(1000, 3600.0))
        assert platform.budget.header_remaining == "x-ratelimit-remaining"
        assert platform.auth[0].secrets == ("token",)
        assert platform.errors.answers["RESOURCE_NOT_FOUND"] == "notFound"
        assert list(platform.kinds) == ["Workspace", "Workflow", "Service", "Depot"]
        workflow = platform.kinds["Workflow"]
        assert workflow.with_ == {"type": "workflow"}
        assert workflow.list.pages == Pages(
            "offset", "offset", "limit", 100, 1, total=Position(body=Expression("meta.total"))
        )
        assert workflow.list.holds == "summary"
        assert workflow.settle_seconds == 15.0
        assert workflow.create.codec == "yaml"
        assert workflow.create.item == Expression("resource")
        assert workflow.get.item is None
        assert workflow.mark.in_list
        assert not workflow.mark.is_run
        assert {rule.pointer: (rule.read, rule.list, rule.own) for rule in workflow.fields} == {
            "/tags": (None, "set", "listed"),
            "/workflow": ("/spec/workflow", None, "all"),
        }
        assert workflow.logs.every_seconds == 5.0
        assert workflow.schema["required"] == ["version", "workflow"]
        assert workflow.schema_path.endswith("dataos/workflow.schema.json")
        assert platform.kinds["Depot"].scope == (ScopeWord("workspace", "Workspace", True),)
        assert platform.kinds["Workspace"].delete.careful == "may take with it all that it holds"
        rule = platform.native[0]
        assert rule.consumed == {"name", "type", "workspace"}
        assert rule.with_["type"].search({"type": "workflow"}) == "workflow"
        path, query = workflow.get.request.render({"with": workflow.with_, "name": "a b", "workspace": None})
        assert (path, query) == ("/resources/workflow/a%20b", ())

    def test_dataloop(self):
        platform = load("dataloop")
        plugin = platform.kinds["Plugin"]
        assert plugin.create.exists.statuses == {409, 422}
        assert plugin.list.revision == Expression("hash")
        assert plugin.replace == "deleteFirst"
        assert plugin.update.sends == "changes"
        annotation = platform.kinds["Annotation"]
        assert not annotation.unique
        assert annotation.scope == (ScopeWord("account", "Account"), ScopeWord("stream", None))
        stream = platform.kinds["AnnotationStream"]
        assert not stream.managed
        assert stream.actions["clear"].careful
        assert stream.list.items.search(["a", "b"]) == [{"name": "a"}, {"name": "b"}]
        assert platform.kinds["Dashboard"].apply.codec == "yaml"
        assert platform.kinds["Dashboard"].get.accept == ("yaml",)
        metric = platform.kinds["Metric"]
        assert metric.metrics.request.render({"account": "a", "name": "cpu", "args": {"duration": 60}}) == (
            "/accounts/a/metrics/cpu/series",
            (("period[duration]", "60"),),
        )

    def test_datalinx(self):
        platform = load("datalinx")
        service, user = platform.auth
        assert (service.header, service.secrets) == ("X-API-Key", ("apiKey",))
        assert user.secrets == ("email", "password")
        assert user.login.token == Expression("access_token")
        assert user.login.lasts == Expression("expires_in")
        assert platform.response.ok.holds({"status": "success"})
        mapping = platform.kinds["Mapping"]
        assert mapping.list.items == Expression("data")
        assert mapping.get.item == Expression("data")
        assert mapping.unverified
        assert mapping.headers["X-Workspace"].render({"workspace": "w"}) == "w"
        assert platform.kinds["Source"].fields[0].mask == r"^\*+$"
        assert platform.kinds["Pipeline"].fields[0].ref == Ref("Mapping", "id")
        assert platform.budget.windows == (Window(60, 60.0, 10),)
        assert platform.openapi == "/openapi.json"

    def test_a_definition_that_extends_another_is_that_one_with_its_own_name_and_server(self):
        base, live = load("gitlab"), load("dataops-live")
        assert live.api_version == "dataops-live/v4"
        assert (base.server, live.server) == (None, "https://app.dataops.live")
        assert live.kinds == base.kinds
        assert live.digest != base.digest
        project = live.kinds["Project"]
        assert project.create.exists.statuses == {400}
        assert project.create.exists.when.holds({"message": {"path": ["has already been taken"]}})
        assert project.schema_path.endswith("gitlab/project.schema.json")
        assert project.list.pages.next == Position(header="x-next-page")
        archived = next(rule for rule in project.fields if rule.pointer == "/archived")
        assert archived.via["true"][0] == "POST"
        assert archived.via["false"][1].render({"id": 5}) == ("/projects/5/unarchive", ())
        assert live.budget.windows == (Window(60, 60.0),)

    def test_datachain_studio(self):
        platform = load("datachain-studio")
        job = platform.kinds["Job"]
        assert job.mark.is_run
        assert (job.mark.pointer, job.mark.read) == ("/query_name", "/name")
        assert not job.list.complete
        assert job.delete.tolerate == {"notFound", "conflict"}
        files = next(rule for rule in job.fields if rule.pointer == "/files/*")
        assert files.upload.method == "POST"
        assert files.upload.value.search({"blob": {"id": 4}}) == "4"
        assert job.logs.websocket.render({"id": 9}) == ("/logs/follow/", (("job_id", "9"),))
        assert job.logs.request is None
        query = platform.queries["ls"]
        assert (query.reads, query.accept) == (True, ("msgpack", "json"))
        assert platform.request_query["team_name"].render({"settings": {"team": "t"}}) == "t"


class TestTheMadeUpPlatform:
    """It uses the words that none of the five needs."""

    def test_every_word_reaches_the_typed_form(self):
        platform = load("orchard")
        assert platform.subject is not None and platform.subject.request.source == "/me"
        assert platform.subject.is_.search({"user": {"id": 7}}) == 7
        ticket, desk, link = platform.auth
        assert ticket.cookie == "ticket"
        assert ticket.login.until == Expression("ticket.ends")
        assert (ticket.secrets, ticket.login.codec) == (("user", "key"), "form")
        assert desk.basic[1].render({"secret": {"password": "p"}}) == "p"
        assert desk.secrets == ("user", "password")
        assert link.query == "access_key"
        assert platform.request_headers["X-Target"].render({"target": "t"}) == "t"
        assert platform.budget.shared_by == "address"
        assert platform.budget.windows == (Window(5, 1.0, 2), Window(100_000, 86_400.0))
        assert platform.kinds["Orchard"].list.pages == Pages("link", next=Position(header="link"))
        assert platform.kinds["Orchard"].list.accept == ("text", "json")
        assert platform.kinds["Crate"].list.pages.more == Position(body=Expression("cursor.more"))
        assert platform.kinds["Crate"].general == "no schema of its own; only the common members are checked"
        tree = platform.kinds["Tree"]
        assert tree.list.pages.pages == Position(body=Expression("page.count"))
        assert tree.list.pages.short
        assert (tree.create.codec, tree.create.idempotency) == ("multipart", "Idempotency-Key")
        assert tree.create.body.render({"name": "a", "orchard": "north", "target": "t", "spec": {}}) == {
            "label": "a",
            "planted": {"by": "t", "note": "tree a of north"},
        }
        assert tree.get.headers["X-Deep"].render({}) == "true"
        assert (tree.update.sends, tree.update.carries, tree.update.if_match) == ("merge", ("/revision",), True)
        assert tree.replace == "createFirst"
        assert tree.actions["prune"].done == Expression("state == 'pruned'")
        assert tree.actions["prune"].codec == "bytes"
        rules = {rule.pointer: rule for rule in tree.fields}
        assert (rules["/species"].write, rules["/species"].compare) == ("/kind", "case")
        assert (rules["/height"].default, rules["/height"].has_default) == (1, True)
        assert not rules["/species"].has_default
        assert rules["/grafts/*"].write == "/parts/*"
        assert rules["/{orchard}"].read == "/of/{orchard}"

    def test_keys_of_values_are_compared_as_json(self):
        rules = {rule.pointer: rule for rule in load("orchard").kinds["Tree"].fields}
        assert rules["/watering"].values == {'"daily"': 1, '"weekly"': 7, "true": 1, '"true"': 2, '"never"': None}

    def test_a_definition_laid_over_it_replaces_merges_and_removes(self):
        platform = load("orchard-next")
        assert list(platform.settings) == ["region", "season"]
        assert [scheme.name for scheme in platform.auth] == ["token"]
        assert platform.budget.windows == (Window(60, 60.0),)
        assert list(platform.kinds) == ["Orchard", "Tree"]
        tree = platform.kinds["Tree"]
        assert tree.delete is None
        assert tree.actions["prune"].careful == "cuts"
        assert tree.actions["prune"].request.source == "/orchards/{orchard}/trees/{id}/prune"
        rules = {rule.pointer: rule for rule in tree.fields}
        assert "/height" not in rules
        assert (rules["/species"].immutable, rules["/species"].compare) == (True, None)
        assert rules["/bark"].read_only


class TestLoading:
    def test_constants_of_a_kind_are_put_into_its_pointers(self, tmp_path):
        new = "    with: {part: a/b}\n    fields:\n      /{with.part}: {read: '/x/{with.part}'}\n"
        platform = shop(tmp_path, "    fields:\n", new, schema=OPEN)
        assert [(r.pointer, r.read) for r in platform.kinds["Thing"].fields] == [("/a~1b", "/x/a~1b"), ("/size", None)]

    def test_the_digest_covers_definition_and_schemas(self, tmp_path):
        first = shop(tmp_path / "a")
        assert shop(tmp_path / "b").digest == first.digest
        assert shop(tmp_path / "c", schema=OPEN).digest != first.digest
        assert shop(tmp_path / "d", "", "# a comment\n").digest != first.digest

    def test_a_server_is_believed_only_from_a_bundled_definition(self, tmp_path):
        text = SHOP.replace("settings:", "server: https://shop.example\nsettings:")
        folder = write(tmp_path / "shop", text, schemas={"thing.schema.json": CLOSED})
        assert load_folder(folder, bundled=True).server == "https://shop.example"
        with pytest.raises(DefinitionError, match="only a definition that travels with the package"):
            load_folder(folder, bundled=False)
        over = write(tmp_path / "over", "platform: over\nversion: v1\nformat: 1\nextends: shop/v1\n")
        # The mistake is the other definition's; this one inherits everything but the server.
        assert load_folder(over, bundled=False, search=[tmp_path]).server is None

    def test_an_operation_that_many_kinds_inherit_is_built_once(self):
        kinds = load("dataos").kinds
        assert kinds["Workflow"].get is kinds["Service"].get

    def test_twenty_five_kinds_with_one_parent_load_fast(self, tmp_path):
        folder = shutil.copytree(PLATFORMS / "dataos", tmp_path / "dataos")
        names = [f"Extra{index}" for index in range(25)]
        kinds = "".join(f"  {name}: {{like: Resource, with: {{type: {name.lower()}}}}}\n" for name in names)
        text = (folder / "platform.yaml").read_text().replace("events:\n", kinds + "events:\n")
        (folder / "platform.yaml").write_text(text)
        for name in names:
            shutil.copy(folder / "workflow.schema.json", folder / f"{name.lower()}.schema.json")
        started = time.process_time()
        assert len(load_folder(folder, bundled=True).kinds) == 29
        assert time.process_time() - started < 2  # some 50 ms; this only notices a blow-up

    def test_a_platform_is_found_by_name_and_version_or_in_its_newest_version(self):
        assert load_platform("orchard/v2", extra_folders=[PLATFORMS]).version == "v2"
        assert load_platform("orchard", extra_folders=[PLATFORMS / "orchard"]).version == "v2"

    def test_an_unknown_platform_is_refused_with_the_nearest(self):
        with pytest.raises(DefinitionError) as caught:
            load_platform("orchrd/v2", extra_folders=[PLATFORMS])
        assert caught.value.exit_status == EXIT_CONFIG
        assert caught.value.fix == "did you mean `orchard/v2`?"

    def test_a_folder_without_definition_is_refused(self, tmp_path):
        with pytest.raises(DefinitionError, match="cannot be read"):
            load_folder(tmp_path, bundled=False)
