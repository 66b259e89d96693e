"""Which kind a program means, by all the names that it may go by."""

from __future__ import annotations

import pytest

import agent
from agent.client.kinds import Kinds, must_say, operation_of, place, plural
from agent.definitions.load import available, load_platform
from agent.errors import UsageError

DATAOS = load_platform("dataos")
KINDS = Kinds(DATAOS)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((word, "Workflow") for word in ("workflow", "Workflow", "workflows", "WORKFLOW")),
        *((word, "InstanceSecret") for word in ("instance-secret", "InstanceSecret", "instance_secrets")),
        ("data", "DataProduct"),
        ("policies", "Policy"),
    ],
)
def test_a_kind_goes_by_several_names(name: str, kind: str) -> None:
    meant = KINDS.meant(name)
    assert (meant.kind.name, meant.said) == (kind, {})


def test_any_other_type_is_of_the_catch_all_kind_but_a_misspelt_one_is_not() -> None:
    meant = KINDS.meant("vulcan")
    assert (meant.kind.name, meant.said) == ("Other", {"type": "vulcan"})
    with pytest.raises(UsageError) as caught:
        KINDS.meant("workflwo")
    assert (caught.value.error_code, caught.value.fix) == ("kind-unknown", "did you mean `workflow`?")
    with pytest.raises(UsageError) as caught:
        Kinds(load_platform("dataloop")).meant("workflow")
    assert "Dashboard" in (caught.value.fix or "")


@pytest.mark.parametrize("name", sorted(available()))
def test_every_kind_of_every_platform_has_a_collection_of_its_own(name: str) -> None:
    platform = load_platform(name)
    kinds = Kinds(platform)
    assert [kinds.collection(plural(kind)).name for kind in platform.kinds] == list(platform.kinds)  # type: ignore[union-attr]
    assert len(set(kinds.collections)) == len(platform.kinds)
    assert kinds.collection("_private") is None


def test_plurals() -> None:
    words = {"Policy": "policies", "Lens": "lenses", "Query": "queries", "ComputeCluster": "compute_clusters"}
    assert {kind: plural(kind) for kind in words} == words


def test_a_place_is_what_is_said_and_what_the_client_says_for_all_calls() -> None:
    workflow, bundle, depot = (DATAOS.kinds[name] for name in ("Workflow", "Bundle", "Depot"))
    defaults = {"workspace": "analytics"}
    assert place(workflow, {}, defaults) == (("workspace", "analytics"),)
    assert place(workflow, {"workspace": "sales"}, defaults) == (("workspace", "sales"),)
    assert place(workflow, {"workspace": None}, {}) == ()
    assert place(bundle, {}, defaults) == ()  # optional: it may stand outside of any
    assert place(depot, {}, defaults) == ()
    with pytest.raises(UsageError, match="Depot has no scope word `workspace`"):
        place(depot, {"workspace": "sales"}, {})


def test_a_word_that_stands_in_a_path_or_a_header_must_be_said() -> None:
    must_say(DATAOS.kinds["Workflow"], operation_of(DATAOS.kinds["Workflow"], "get"), ())  # in the query alone
    rule = load_platform("dataloop").kinds["Rule"]
    with pytest.raises(UsageError, match="which account\\?"):
        must_say(rule, operation_of(rule, "get"), ())
    source = load_platform("datalinx").kinds["Source"]
    with pytest.raises(UsageError, match="which workspace\\?"):
        must_say(source, operation_of(source, "list"), ())
    project = load_platform("dataops-live").kinds["Project"]
    with pytest.raises(UsageError, match="which namespace\\?"):
        must_say(project, operation_of(project, "create"), ())


def test_a_call_that_a_kind_lacks_names_those_that_it_has() -> None:
    with pytest.raises(agent.NotSupportedError) as caught:
        operation_of(load_platform("datachain-studio").kinds["Job"], "update")
    assert str(caught.value) == "Job has no update on this platform"
    assert caught.value.fix == "it has list, create, delete, logs"
