"""Play wrong agents until the judge notices: ``python -m tests.simulation.sabotage --jobs 2``.

Each lacks one guard. Exit 1 when one survives, when a wrong part never ran, or when the judge speaks where nothing is
wrong. ``--record`` keeps the first
seed of each in ``caught.csv``, with ``--shares N`` also how many of N seeds catch it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

from tests.simulation.full.many import quiet
from tests.simulation.places import make_template, memory_folder
from tests.simulation.sabotage.play import Played, play
from tests.simulation.sabotage.table import CONTROLS, VARIANTS, WITHIN, Caught, record, recorded
from tests.simulation.sabotage.variant import Variant

ALL = {variant.name: variant for variant in (*VARIANTS, *CONTROLS)}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.sabotage", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only those with one of these words in their name")
    parser.add_argument("--seeds", type=int, default=WITHIN, help=f"seeds to catch each within (default {WITHIN})")
    parser.add_argument("--controls", type=int, default=20, help="seeds for each that is harmless (default 20)")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once")
    parser.add_argument("--shares", type=int, default=0, metavar="N", help="count how many of N seeds catch each")
    parser.add_argument("--record", action="store_true", help="rewrite the record")
    words = parser.parse_args()
    wanted = [v for v in ALL.values() if not words.names or any(name in v.name for name in words.names)]
    print(f"{'variant':<62} {'tale':<58} {'invariant':<9} {'first seed':>10} {'seeds':>6}  told")
    caught: list[Caught] = []
    failures = 0
    for variant, played in _all_played(wanted, words):
        failures += _told(variant, played)
        if variant.caught_by is not None and played.first is not None:
            caught.append(
                Caught(
                    variant.name,
                    variant.family,
                    variant.tale.name,
                    variant.caught_by,
                    played.first,
                    f"{played.caught}/{words.shares}" if words.shares else "",
                )
            )
    if caught:
        firsts = sorted(each.first + 1 for each in caught)
        print(f"{len(caught)} caught, median after {statistics.median(firsts):g} seeds, the latest after {firsts[-1]}")
    print(
        f"{failures} that should not be" if failures else "none survived, and nothing was said where nothing is wrong"
    )
    if words.record:
        played = {variant.name for variant in wanted}
        unplayed = {name: each for name, each in recorded().items() if name not in played}
        known = {**unplayed, **{each.variant: each for each in caught}}
        record(known[variant.name] for variant in VARIANTS if variant.name in known)
    return 1 if failures else 0


def _all_played(variants: list[Variant], words: argparse.Namespace) -> Iterator[tuple[Variant, Played]]:
    tasks = [
        (v.name, words.controls if v.caught_by is None else words.seeds, words.shares if v.caught_by else 0)
        for v in variants
    ]
    played: Iterable[Played]
    if words.jobs > 1:
        with ProcessPoolExecutor(words.jobs) as pool:
            yield from zip(variants, pool.map(_play, tasks), strict=True)
    else:
        played = map(_play, tasks)
        yield from zip(variants, played, strict=True)


@cache
def _place() -> tuple[tempfile.TemporaryDirectory[str], Path, Path]:
    quiet()
    holder = tempfile.TemporaryDirectory(dir=memory_folder())
    return holder, Path(holder.name), make_template(Path(holder.name))


def _play(task: tuple[str, int, int]) -> Played:
    """Until it is caught; with ``shares``, over so many seeds and on until it is caught."""
    name, seeds, shares = task
    _, folder, template = _place()
    variant = ALL[name]
    try:
        return _played(variant, seeds, folder, template, shares=shares)
    except LookupError as error:
        return Played(name, told=str(error))


def _played(variant: Variant, seeds: int, folder: Path, template: Path, *, shares: int) -> Played:
    if not shares:
        return play(variant, range(seeds), folder, template, stop=True)
    counted = play(variant, range(shares), folder, template, stop=False)
    if counted.first is None:
        later = play(variant, range(shares, seeds), folder, template, stop=True)
        counted.first, counted.told, counted.played = later.first, later.told, counted.played + later.played
        counted.ran = counted.ran or later.ran
    return counted


def _told(variant: Variant, played: Played) -> int:
    """One line; 1 when something is not as it should be."""
    failed = (played.first is None) != (variant.caught_by is None) or not played.ran
    word = "" if not failed else "NEVER RAN " if not played.ran else "SURVIVED " if variant.caught_by else "SPEAKS "
    first = "-" if played.first is None else str(played.first)
    line = f"{variant.name:<62} {variant.tale.name:<58} {variant.caught_by or '':<9} {first:>10} {played.played:>6}  "
    print(line + word + played.told[:110], flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
