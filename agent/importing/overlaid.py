"""Whether an overlay of the target would make an imported manifest say something else than what is live. Pure."""

from __future__ import annotations

from agent.definitions.platform import Platform
from agent.importing.manifest import Manifest
from agent.validate.document import check_file
from agent.validate.rendered import Inputs


def changed_by(made: Manifest, platform: Platform, inputs: Inputs) -> str | None:
    """Path and line of the overlay that changes its ``spec``; None where ``inputs`` leave it as it is live."""
    if not inputs.overlays:
        return None
    source = made.text.encode()
    plain, laid = check_file(source, platform, {}), check_file(source, platform, {}, inputs=inputs)
    if [each.spec for each in laid.documents] == [each.spec for each in plain.documents]:
        return None
    where = inputs.overlays[next(iter(laid.applied), 0)].text.where(())
    return f"{where.path}:{where.line}"
