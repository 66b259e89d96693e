"""Calls as the ledger of all processes holds them."""

from __future__ import annotations

from typing import NamedTuple


class Spent(NamedTuple):
    """``rows`` are (epoch seconds, calls); negative calls are some of that moment's given back unused.

    ``newest`` is the number of the newest row: what is asked for from there on has not been seen yet.
    """

    rows: list[tuple[float, int]]
    newest: int
