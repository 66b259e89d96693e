"""``python -m tests.platforms.conformance [TEXT …]``: the matrix of stages and kinds, and why each gap is one.

``--deaths`` kills the process at each effect of each kind's story instead, and once more after each.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.platforms.conformance.deaths import Swept, sweep
from tests.platforms.conformance.derived import exemption
from tests.platforms.conformance.examples import Example, document_of, examples_of_kinds, files_of
from tests.platforms.conformance.suite import SCENES, STAGES, first_of_each_kind, live_through, made_by, play
from tests.simulation.places import make_template, memory_folder


def main(wanted: list[str]) -> None:
    examples = [each for each in examples_of_kinds() if all(text in str(each) for text in wanted)]
    leading = set(first_of_each_kind(examples))
    reasons: dict[str, int] = {}
    print(f"{'':44}{' '.join(f'{stage[:7]:7}' for stage in STAGES)}")
    falls = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=memory_folder()) as name:
        template = make_template(Path(name))
        for example in examples:
            came = _outcomes(example, Path(name), template, scenes=example in leading)
            cells = []
            for stage in STAGES:
                why = exemption(example, stage)
                if why:
                    number = reasons.setdefault(why, len(reasons) + 1)
                    cells.append(f"({number})")
                elif stage not in came:
                    cells.append("" if stage in SCENES and example not in leading else "unmet")
                else:
                    cells.append("FELL" if came[stage] else "yes")
                    falls += [f"{example} {stage}: {came[stage]}"] if came[stage] else []
            print(f"{example!s:44}{' '.join(f'{cell:7}' for cell in cells)}")
    print(f"\n{time.monotonic() - began:.1f} s")
    print("\n".join(f"({number}) {why}" for why, number in reasons.items()))
    print("\n".join(falls))


def kill_everywhere(wanted: list[str]) -> int:
    """The whole sweep of ``deaths``; the number of violations."""
    began = time.monotonic()
    total = Swept()
    leading = first_of_each_kind(examples_of_kinds())
    more = [each for each in examples_of_kinds() if each not in leading and files_of(each, document_of(each))]
    examples = [each for each in (*leading, *more) if all(text in str(each) for text in wanted)]
    with tempfile.TemporaryDirectory(dir=memory_folder()) as name:
        template = make_template(Path(name))
        for example in examples:
            swept = sweep(example, Path(name), template, twice=True)
            print(f"{example!s:44}{swept.points:4} points {swept.kills:4} deaths", flush=True)
            print("\n".join(swept.violations), end="\n" if swept.violations else "")
            total.points += swept.points
            total.kills += swept.kills
            total.violations += swept.violations
    print(f"\n{len(examples)} kinds, {total.points} points, {total.kills} deaths, {time.monotonic() - began:.0f} s")
    print(f"{len(total.violations)} violations")
    return len(total.violations)


def _outcomes(example: Example, folder: Path, template: Path, *, scenes: bool) -> dict[str, str]:
    place = folder / str(example).replace("/", "-")
    place.mkdir()
    came = live_through(example, place, template)
    if scenes and not came.get("create"):
        created = made_by(example, place, template)
        for scene in SCENES:
            if not exemption(example, scene):
                came[scene] = play(scene, example, created, place, template)
    return came


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--deaths"]
    sys.exit(kill_everywhere(words) > 0 if "--deaths" in sys.argv else main(words))
