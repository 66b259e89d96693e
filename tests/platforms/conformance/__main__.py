"""``python -m tests.platforms.conformance [TEXT …]``: the matrix of stages and kinds, and why each gap is one."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.platforms.conformance.derived import exemption
from tests.platforms.conformance.examples import Example, examples_of_kinds
from tests.platforms.conformance.suite import SCENES, STAGES, first_of_each_kind, live_through, made_by, play
from tests.simulation.__main__ import make_template, memory_folder


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
    main(sys.argv[1:])
