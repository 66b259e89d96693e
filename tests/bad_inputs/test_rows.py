"""The rows of the design's list of bad inputs are numbered 1 to 202, and each has a test here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).parent
NUMBERED = set(range(1, 203))

# What the rows below ask for does not exist yet.
LATER: dict[int, str] = {}


# Rows that no command meets alone, or whose test stands with the part that it is about: file, then test.
ELSEWHERE: dict[int, tuple[str, ...]] = {
    94: ("unit/validate/document:a_default_in_a_schema_is_never_applied",),
    104: ("unit/definitions/select:every_way_to_multiply_the_input_counts",),
    116: (
        "unit/source/git:a_command_works_under_limits_of_its_own",
        "unit/source/git:a_command_that_takes_too_long_is_killed_with_all_its_children",
    ),
    120: ("unit/source/mirror:a_forced_push_is_followed_and_the_old_commit_stays_readable",),
    127: ("unit/source/http:redirects_are_refused",),
    128: ("unit/source/mirror:a_remote_on_this_machine_runs_nothing_of_its_own",),
    129: ("unit/source/http:an_ssh_host_that_does_not_answer_is_unreachable",),
    133: ("unit/source/worktree:a_file_is_taken_when_it_rests_and_is_an_error_when_it_never_does",),
    134: ("unit/source/worktree:an_unreadable_file_or_folder_is_an_error_with_its_path",),
    143: ("unit/live/api:rows_of_another_scope_are_ignored_and_still_counted",),
    145: ("unit/live/paging:pages_that_never_end_are_cut_at_the_limit",),
    146: ("unit/live/paging:a_next_link_anywhere_else_is_not_followed",),
    158: ("unit/live/transport:a_cookie_is_never_sent_back",),
    159: ("unit/live/rate_headers:nonsense_is_named_and_ignored",),
    160: ("unit/live/auth:an_echoed_credential_is_nowhere_in_a_reply",),
    165: (
        "unit/live/streams:a_frame_that_cannot_be_taken_ends_the_stream",
        "unit/live/streams:a_stream_that_says_nothing_ends",
        "unit/live/streams:a_flood_ends_the_stream_and_what_fits_does_not",
        "unit/live/streams:a_redirect_is_not_followed",
    ),
}


def modules() -> list[ModuleType]:
    names = sorted(path.stem for path in HERE.glob("test_*.py") if path.stem != "test_rows")
    return [import_module(f"tests.bad_inputs.{name}") for name in names]


def shown_by(module: ModuleType) -> Iterator[int]:
    """Rows of the module's tables of cases, and of its tests that say what they show."""
    for name, value in vars(module).items():
        if name.startswith("test_"):
            yield from getattr(value, "rows", ())
        elif name.isupper() and isinstance(value, tuple):
            for case in value:
                row = case[0] if isinstance(case, tuple) else getattr(case, "row", None)
                if isinstance(row, int):
                    yield row


def test_every_row_has_a_test_or_an_issue() -> None:
    here = {row for module in modules() for row in shown_by(module)}
    assert sorted(here & set(ELSEWHERE)) == [], "a row is shown here now: strike it from ELSEWHERE"
    shown = here | set(ELSEWHERE)
    assert sorted(NUMBERED - shown - set(LATER)) == []
    assert sorted(shown & set(LATER)) == [], "a row is shown now: strike it from LATER"
    assert sorted(shown - NUMBERED) == []


def test_every_test_that_stands_elsewhere_exists() -> None:
    missing = sorted({place for places in ELSEWHERE.values() for place in places if not _exists(place)})
    assert missing == [], "renamed or removed: name the test that shows these rows now"


def _exists(place: str) -> bool:
    file, _, name = place.partition(":")
    folder, _, module = file.rpartition("/")
    path = HERE.parent / folder / f"test_{module}.py"
    return path.is_file() and bool(re.search(rf"def test_{name}\(", path.read_text(encoding="utf-8")))
