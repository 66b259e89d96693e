"""The short form of ``python -m tests.simulation.sabotage``: what is on record is caught again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.apply import classify, request
from tests.simulation.sabotage.play import one
from tests.simulation.sabotage.swap import Swap, swapped
from tests.simulation.sabotage.table import CONTROLS, VARIANTS, WITHIN, recorded

REPLAYED = (
    "intent after the send",
    "recovery takes all for not landed",
    "a create is retried blindly",
    "a create is retried blindly, on datachain-studio",
    "a read that the list contradicts is believed",
    "deleted by name",
    "the workspace is left out of deletes",
    "intervals by the wall clock",
    "an empty folder is believed",
    "dependents go on",
    "no admission",
    "secrets are stored",
)


@pytest.mark.parametrize("name", REPLAYED)
def test_what_is_on_record_is_caught_again(name: str, folder: Path, template: Path) -> None:
    variant = next(each for each in VARIANTS if each.name == name)
    violations, ran = one(variant, recorded()[name].first, folder, template)
    assert ran
    assert any(each.startswith(f"{variant.caught_by}: ") for each in violations), violations


def test_every_variant_is_on_record_and_was_caught_within_its_seeds() -> None:
    on_record = recorded()
    assert {(v.name, v.family, v.tale.name, v.caught_by) for v in VARIANTS} == {
        (each.variant, each.family, each.tale, each.invariant) for each in on_record.values()
    }, "python -m tests.simulation.sabotage --record --jobs 2"
    assert len(on_record) >= 40
    assert all(each.first < WITHIN for each in on_record.values())


@pytest.mark.parametrize("variant", (*VARIANTS, *CONTROLS), ids=lambda variant: variant.name)
def test_what_a_variant_replaces_is_still_there(variant: Any) -> None:
    with swapped(variant.swaps) as ran:
        assert len(ran) == len(variant.swaps)


def test_a_function_is_wrong_for_one_run_wherever_it_was_imported_to() -> None:
    right = request.classify
    assert right is classify.classify
    with swapped([Swap("apply.classify:classify", lambda right: lambda *arguments, **words: "wrong")]) as ran:
        assert request.classify() == "wrong" and classify.classify is request.classify  # type: ignore[call-arg]
        assert ran["apply.classify:classify"] == 1
    assert request.classify is right and classify.classify is right


def test_what_no_longer_fits_or_is_gone_is_an_error() -> None:
    with (
        pytest.raises(LookupError, match=r"no apply\.classify:gone"),
        swapped([Swap("apply.classify:gone", lambda r: r)]),
    ):
        pass
    with (
        pytest.raises(LookupError, match=r"apply\.classify:classify takes something else by now"),
        swapped([Swap("apply.classify:classify", lambda right: lambda: None)]),
    ):
        pass
    with swapped([Swap("apply.classify:classify", lambda right: lambda *arguments, **words: right())]) as ran:
        with pytest.raises(TypeError):
            request.classify(1, 2)  # type: ignore[arg-type]
        assert ran["apply.classify:classify"] < 0
