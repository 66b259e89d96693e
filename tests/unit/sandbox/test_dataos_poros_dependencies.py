"""What another resource depends on cannot be deleted, in the vendor's words."""

from __future__ import annotations

import pytest

from tests.unit.sandbox.poros_support import DEPOT, DOCUMENTED, SECRET, TwoFaces
from tests.unit.sandbox.support import WORKFLOW


@pytest.fixture
def sandbox() -> TwoFaces:
    return TwoFaces()


async def test_an_instance_secret_stays_while_a_depot_names_it(sandbox):
    await sandbox.make(SECRET)
    await sandbox.make(DEPOT)
    refused = await sandbox.poros.delete("/resources/instance-secret/sampleinstsecret")
    assert refused.status_code == 400
    assert refused.json()["message"] == (
        "Invalid Parameter - failure deleting instance resource : cannot delete resource, "
        "it is a dependency of 'depot:v2alpha:sampleinstdepot'"
    )
    assert (await sandbox.poros.delete("/resources/depot/sampleinstdepot")).status_code == 204
    assert (await sandbox.poros.delete("/resources/instance-secret/sampleinstsecret")).status_code == 204


@pytest.mark.parametrize("address", ["dataos://lake", "dataos://lake:raw/orders?acl=rw", "dataos://lake?acl=r"])
@pytest.mark.parametrize(
    "dependent",
    [
        {"type": "cluster", "name": "minervac", "cluster": {"minerva": {"depots": [{"address": "ADDRESS"}]}}},
        {"type": "workflow", "name": "etl", "workflow": {"dag": [{"spec": {"stackSpec": {"inputs": ["ADDRESS"]}}}]}},
        {"type": "service", "name": "api", "service": {"env": {"FROM": "read ADDRESS"}}},
    ],
    ids=["cluster", "workflow", "service"],
)
async def test_a_depot_stays_while_its_address_is_written_somewhere(sandbox, dependent, address):
    await sandbox.make({**DEPOT, "name": "lake"})
    body = {**dependent, "version": "v1", "workspace": "public"}
    section = {dependent["type"]: _filled(dependent[dependent["type"]], address)}
    await sandbox.make({**body, **section})
    refused = await sandbox.poros.delete("/resources/depot/lake")
    assert f"'{body['type']}:v1:{body['name']}:public'" in refused.json()["message"]


def _filled(value, address):
    if isinstance(value, dict):
        return {name: _filled(member, address) for name, member in value.items()}
    if isinstance(value, list):
        return [_filled(member, address) for member in value]
    return value.replace("ADDRESS", address)


async def test_another_name_is_no_dependency(sandbox):
    await sandbox.make({**DEPOT, "name": "lake"})
    dag = [{"name": "lake", "spec": {"inputs": ["dataos://lakehouse:raw/orders", "dataos://lake2"], "stack": "lake"}}]
    await sandbox.make(workflow={"dag": dag})
    assert (await sandbox.poros.delete("/resources/depot/lake")).status_code == 204


async def test_a_data_product_depends_by_its_section_that_is_named_after_its_version(sandbox):
    await sandbox.make({**DEPOT, "name": "lake"})
    section = {"data": {"inputs": [{"ref": "dataos://lake:raw/orders"}]}}
    await sandbox.make({"name": "sales", "version": "v1beta", "type": "data", "v1beta": section})
    assert "'data:v1beta:sales'" in (await sandbox.poros.delete("/resources/depot/lake")).json()["message"]


async def test_a_secret_of_a_workspace_is_refused_as_a_resource_and_only_there(sandbox):
    secret = {"name": "smtp", "version": "v1", "type": "secret", "secret": {"type": "key-value", "data": {"a": "b"}}}
    for workspace in ("analytics", "sales"):
        await sandbox.make({**secret, "workspace": workspace})
    await sandbox.make(workflow={"dag": [{"spec": {"dataosSecrets": [{"name": "smtp"}]}}]})
    assert (await sandbox.poros.delete("/workspaces/sales/resources/secret/smtp")).status_code == 204
    refused = await sandbox.poros.delete("/workspaces/analytics/resources/secret/smtp")
    assert refused.status_code == 400
    assert refused.json()["message"] == (
        "Invalid Parameter - failure deleting resource : cannot delete resource, "
        "it is a dependency of 'workflow:v1:daily-etl:analytics'"
    )


async def test_a_compute_stays_while_something_runs_on_it(sandbox):
    await sandbox.make({"name": "pool", "version": "v1", "type": "compute", "compute": {"type": "K8SNodePool"}})
    await sandbox.make({**WORKFLOW, "workflow": {"dag": [{"spec": {"compute": "pool"}}]}})
    assert (await sandbox.poros.delete("/resources/compute/pool")).status_code == 400


async def test_the_documented_face_refuses_only_if_asked_to(sandbox):
    await sandbox.make(SECRET)
    await sandbox.make(DEPOT)
    url = f"{DOCUMENTED}/resources/instance-secret/sampleinstsecret"
    sandbox.world.switches.change({"refuse_dependents": True})
    assert (await sandbox.client.delete(url)).status_code == 409
    sandbox.world.switches.change({"refuse_dependents": False})
    assert (await sandbox.client.delete(url)).status_code == 200
