"""What kinds promise follows from their operations: the table of the design, and a case beside each rule."""

import pytest

from agent.definitions.load import load_folder
from agent.definitions.promises import promises, promises_table
from tests.unit.definitions.writing import CLOSED, PLATFORMS, shop


def of(platform, kind):
    return promises(load_folder(PLATFORMS / platform, bundled=True, search=[PLATFORMS]).kinds[kind])


@pytest.mark.parametrize(
    ("platform", "kind", "promised"),
    [
        ("dataos", "Workflow", ("spec", "name, mark", "yes", "yes", "yes", "no need", "pages per workspace + N")),
        ("dataos", "Workspace", ("existence", "name", "yes", "yes", "by digest", "no", "pages")),
        ("datalinx", "Mapping", ("spec", "name", "yes", "yes", "yes", "no need", "pages per workspace")),
        ("gitlab", "Project", ("spec", "path", "yes", "yes", "by digest, delayed", "no need", "pages")),
        ("dataloop", "Account", ("existence", "name", "yes", "yes", "by digest", "no", "1")),
        ("dataloop", "Rule", ("spec", "name", "yes", "no", "orphans are reported", "no need", "N")),
        (
            "dataloop",
            "Plugin",
            (
                *("spec, decoded", "name", "yes", "yes", "yes", "delete, create for /extension"),
                "1 per account + those whose revision changed",
            ),
        ),
        (
            "dataloop",
            "Annotation",
            ("spec", "nothing", "asks when unknown", "yes", "yes", "no need", "1 per account and stream"),
        ),
        (
            "datachain-studio",
            "Job",
            ("state, content by mark", "mark", "while listed, else asks", "no", "yes, delayed", "delete, create", "1"),
        ),
    ],
)
def test_the_promises_of_the_design(platform, kind, promised):
    made = of(platform, kind)
    assert (
        made.drift,
        made.adopts_by,
        made.safe_create,
        made.strays,
        made.prunes,
        made.replaces,
        made.calls,
    ) == promised


def test_a_get_by_id_alone_finds_nothing_by_name(tmp_path):
    text = '    list: {request: "GET /{settings.org}/things?shelf={shelf}", items: data}\n'
    made = promises(shop(tmp_path, text, "").kinds["Thing"])
    assert (made.adopts_by, made.safe_create, made.strays, made.calls) == ("nothing", "asks when unknown", "no", "N")


def test_a_create_that_may_be_repeated_is_safe(tmp_path):
    folder = tmp_path / "a"
    old = "create: {request: POST /things,"
    made = promises(shop(folder, old, f"unique: false\n    {old} idempotency: Key,").kinds["Thing"])
    assert made.safe_create == "yes"
    made = promises(shop(tmp_path / "b", old, f"unique: false\n    {old}").kinds["Thing"])
    assert made.safe_create == "asks when unknown"


def test_an_immutable_member_without_replacement_is_named(tmp_path):
    assert promises(shop(tmp_path, schema=CLOSED).kinds["Thing"]).replaces == "no: /size cannot change"


def test_guesses_are_named_as_the_target_confirms_them():
    assert of("datalinx", "Pipeline").guesses == (
        ("Pipeline", "of these paths the API page prints only GET /mappings"),
        ("Pipeline.get", "by convention"),
        ("Pipeline.run", "the CLI names it, no path is printed"),
    )


def test_the_table_groups_kinds_and_lists_the_observed_and_the_guesses():
    table = promises_table(load_folder(PLATFORMS / "dataloop", bundled=True))
    lines = table.splitlines()
    assert lines[0].startswith("| kind | drift | adopts by |")
    assert lines[3] == "| Dashboard, Rule | spec | name | yes | no | orphans are reported | no need | N |"
    assert lines[-1] == "Observed only: AnnotationStream, Agent, Tag, Link, Metric."
    guesses = promises_table(load_folder(PLATFORMS / "dataos", bundled=True)).splitlines()
    assert guesses[-1] == "- `Workspace`: printed only as SDK calls, no REST path"
