"""Stories of the full fault model: ``python -m tests.simulation --seeds 20000 --jobs 2`` comes here.

``--seed N`` plays one, ``--story`` tells it, ``--shrink`` makes one that fails as short as it may be, ``--play FILE``
plays one that was kept. Exit 1 when an invariant was broken or, with ``--rows N``, a row was reached less often.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.simulation.full.draw import draw_story
from tests.simulation.full.many import Sum, broken_by, play_many, played, quiet
from tests.simulation.full.play import tell
from tests.simulation.full.rows import ELSEWHERE, REACHED
from tests.simulation.full.samples import PLATFORMS
from tests.simulation.full.shrink import shrunk
from tests.simulation.full.store import copy_of
from tests.simulation.full.tale import Story, story_from_json
from tests.simulation.places import make_template, memory_folder


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="stories to play (default 200)")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=1, help="processes that play them (default 1)")
    parser.add_argument("--definition", choices=sorted(PLATFORMS), help="of one platform only")
    parser.add_argument("--rows", type=int, default=0, help="how often each row must have been reached")
    parser.add_argument("--seed", type=int, help="play one story")
    parser.add_argument("--play", type=Path, metavar="FILE", help="play a story that was kept")
    parser.add_argument("--story", action="store_true", help="with --seed or --play: tell it")
    parser.add_argument("--shrink", action="store_true", help="with --seed or --play: make it as short as it may be")
    parser.add_argument("--sweep", action="store_true", help="with --seed or --play: die at each of its effects")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="with --shrink: write what is left to a file")
    arguments = parser.parse_args()
    quiet()
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        template = copy_of(make_template(Path(folder)))
        if arguments.seed is not None or arguments.play is not None:
            return _one(_story(arguments), arguments, template, folder)
        return _many(arguments, template, folder)


def _story(arguments: argparse.Namespace) -> Story:
    if arguments.play is not None:
        return story_from_json(arguments.play.read_text())
    return draw_story(arguments.seed, arguments.definition)


def _one(story: Story, arguments: argparse.Namespace, template: bytes, folder: str) -> int:
    told = played(story, template, folder)
    wanted = broken_by(told)
    if arguments.sweep:
        return _sweep(story, template, folder)
    if arguments.shrink and wanted:
        story = shrunk(story, lambda each: broken_by(played(each, template, folder)) == wanted)
        if arguments.keep is not None:
            arguments.keep.write_text(story.to_json())
    place = Path(tempfile.mkdtemp(dir=folder))
    told = tell(story, place, template)
    shutil.rmtree(place)
    if arguments.story or arguments.shrink:
        print(story)
        print("\n".join(told.log))
    print(f"seed {story.seed}: {told.passes} passes, {told.requests} requests, {told.kills} deaths")
    print("\n".join(told.violations) or "no invariant was broken")
    return 1 if told.violations else 0


def _sweep(story: Story, template: bytes, folder: str) -> int:
    """The same story with one death, at each of the effects of its first process."""
    whole = played(Story(story.seed, story.cell, story.happenings), template, folder)
    if isinstance(whole, str):
        print(whole)
        return 1
    broken = 0
    for point, name in enumerate(whole.effects, start=1):
        told = played(Story(story.seed, story.cell, story.happenings, (point,)), template, folder)
        for violation in [told] if isinstance(told, str) else told.violations:
            print(f"death at {point} ({name}): {violation}")
            broken += 1
    print(f"{len(whole.effects)} deaths, {broken} violations")
    return 1 if broken else 0


def _many(arguments: argparse.Namespace, template: bytes, folder: str) -> int:
    began = time.monotonic()
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    definition = f" --definition {arguments.definition}" if arguments.definition else ""

    def tell_of(done: Sum) -> None:
        for seed, violations in sorted(done.failed.items()):
            print(f"python -m tests.simulation --seed {seed}{definition} --shrink   # {violations[0]}", flush=True)

    total = play_many(seeds, template, folder, jobs=arguments.jobs, definition=arguments.definition, tell_of=tell_of)
    seldom = told_of(total, time.monotonic() - began, arguments.rows)
    return 1 if total.failed or seldom else 0


def told_of(total: Sum, seconds: float, least: int) -> list[str]:
    """Print the sum; the rows that were reached less often than they must."""
    print(
        f"{total.stories} seeds, {total.kills} deaths, {total.passes} passes, {total.requests} requests, "
        f"{total.commits} judged commits; {seconds:.0f} s, {total.seconds:.0f} s of processor time"
    )
    print("rows reached: " + ", ".join(f"{row} {total.reached[row]}" for row in REACHED))
    print(f"shown elsewhere: {', '.join(ELSEWHERE)}")
    print("blocked in the end, and told so: " + ", ".join(f"{word} {n}" for word, n in total.excused.most_common()))
    print(f"{sum(map(len, total.failed.values()))} violations in {len(total.failed)} seeds")
    seldom = [row for row in REACHED if total.reached[row] < least]
    if seldom:
        print(f"reached less than {least} times: {', '.join(seldom)}")
    return seldom


if __name__ == "__main__":
    sys.exit(main())
