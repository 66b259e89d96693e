"""A rotated secret is seen in the next pass, however fresh what is remembered is, and the pass after it rests."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from agent.apply.secrets import SecretValues
from agent.errors import ConfigError
from agent.model.change import Action, Cause
from agent.model.outcome import Result
from agent.secrets import Secret
from tests.platforms.conformance.emulated import Emulated
from tests.platforms.conformance.examples import examples_of_kinds
from tests.simulation.places import make_template, memory_folder
from tests.simulation.virtual_time import VirtualLoop, run

# The list of this platform holds no spec, so an object in it is remembered until it is due.
EXAMPLE = next(each for each in examples_of_kinds() if str(each) == "dataos/v1-instance-secret")


def document(name: str, leaf: object) -> dict[str, object]:
    section = {"type": "key-value-properties", "acl": "r", "data": {"password": leaf}}
    return {
        "apiVersion": "dataos/v1",
        "kind": "InstanceSecret",
        "metadata": {"name": name},
        "spec": {"version": "v1", "instance-secret": section},
    }


def test_a_rotated_secret_is_an_update_of_its_holders_in_the_next_pass(tmp_path: Path) -> None:
    values = {"lake": "first-value", "other": "another-value"}

    def source(name: str) -> Secret:
        if not values[name]:
            raise ConfigError(f"{name} cannot be read")
        return Secret(values[name])

    async def story() -> None:
        sources = {name: (lambda name=name: source(name)) for name in values}
        target = emulated.target
        target.secrets = SecretValues(sources, emulated.store.installation_key)
        target.config = replace(target.config, secrets=dict.fromkeys(values))  # type: ignore[arg-type]
        emulated.commit(
            *(document(f"holder-{name}", {"secretRef": name}) for name in values), document("plain", "clear")
        )
        report = await emulated.one_pass()
        assert [each.result for each in report.outcomes] == [Result.DONE] * 3
        await emulated.clock.sleep(20.0)

        values["lake"] = "second-value"
        report = await emulated.one_pass()
        assert [(each.change.key.name, each.change.action, each.change.cause) for each in report.outcomes] == [
            ("holder-lake", Action.UPDATE, Cause.SECRET)
        ]
        assert [(each.path, each.sensitive) for each in report.outcomes[0].change.fields] == [
            ("instance-secret.data.password", True)
        ]
        await emulated.clock.sleep(20.0)
        assert not (await emulated.one_pass()).outcomes

        values["lake"] = ""  # nothing is concluded from a secret that cannot be read
        assert not (await emulated.one_pass()).outcomes
        values["lake"] = "second-value"
        assert not (await emulated.one_pass()).outcomes
        assert "-value" not in emulated.path.read_bytes().decode("latin-1")

    with tempfile.TemporaryDirectory(dir=memory_folder()) as name:
        loop = VirtualLoop()
        emulated = Emulated(EXAMPLE, tmp_path, make_template(Path(name)), loop)
        run(story(), loop)
        emulated.close()
