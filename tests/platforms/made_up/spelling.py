"""How the garden spells what it was sent, and how it merges a patch."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any


def in_its_own_way(sensor: Mapping[str, Any]) -> dict[str, Any]:
    """The same values, spelled as the garden likes them."""
    shown = dict(sensor)
    if "unit" in shown:
        shown["unit"] = shown["unit"].upper()
    if "about" in shown:
        shown["about"] = "\n".join(shown["about"].split())
    if "limit" in shown:
        shown["limit"] = f"{shown['limit']:.3f}"
    if "every" in shown:
        seconds = int(shown["every"].removesuffix("s"))
        shown["every"] = f"{seconds // 60}m{seconds % 60}s"
    if "since" in shown:
        moment = datetime.fromisoformat(shown["since"]).astimezone(timezone(timedelta(hours=1)))
        shown["since"] = moment.isoformat()
    if "model" in shown:
        shown["model"] = f"https://garden.example/models/{shown['model']}"
    if not shown.get("labels"):
        shown["labels"] = None
    return shown
