"""What happens when something wrong comes in: each numbered row of the design's list, and the test that shows it.

`ROWS` is the table; `LATER` names the rows of parts that do not exist yet. The rows that no test of a part shows are
tested here, through the same doors that every manifest and every command takes.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.definitions.load import load_platform
from agent.definitions.platform import Platform
from agent.model.identity import Revision
from agent.model.resource import Desired
from agent.validate.desired import SourceFile, combine
from agent.validate.document import check_file, read_spec

TESTS = Path(__file__).parent
HERE = "test_bad_inputs"

# Rows -> where they are shown: the test file without `test_` and `.py`, then the test; or `sessions/` and the session.
ROWS: dict[str, tuple[str, ...]] = {
    # YAML
    "1-12 17-18 23-24 26-31 33-36 42-49": ("unit/yaml_io:bad_input_is_refused_with_its_code_and_place_at_once",),
    "9": ("unit/yaml_io:duplicate_key_names_both_places",),
    "13-16 19-20 22": ("unit/yaml_io:ambiguous_scalar_stays_text_with_a_warning_at_its_place",),
    "15": ("unit/json_schema:wrong_type_says_what_to_write",),
    "21": ("unit/yaml_io:fraction_keeps_its_digits",),
    "25": ("unit/yaml_io:byte_order_mark_at_the_start_is_removed",),
    "27": ("unit/yaml_io:crlf_is_a_line_break",),
    "32": (
        "unit/yaml_io:invisible_characters_inside_values_are_accepted",
        "unit/report/escape:dangerous_characters_become_visible",
        f"{HERE}:a_wrong_manifest_is_told_at_its_place_and_its_neighbour_goes_on",
    ),
    "37": (f"{HERE}:a_file_without_a_manifest_is_said_so_and_nothing_is_deleted_for_it", "sessions/apply-empty-folder"),
    "38": ("unit/yaml_io:lone_separator_is_one_empty_document",),
    "39": ("unit/validate/document:an_empty_document_among_others_is_skipped",),
    "40-41": ("unit/validate/document:a_document_that_is_no_mapping_is_no_manifest",),
    "42": ("unit/yaml_io:version_1_1_and_1_2_are_accepted",),
    "50": ("unit/yaml_io:budget_admits_the_last_and_refuses_the_next",),
    "51": ("unit/yaml_io:default_limits_are_those_that_the_design_names",),
    "52": ("unit/source/hostile:a_big_file_is_refused_by_its_size_and_one_at_the_limit_is_read",),
    # Manifests
    "53": ("unit/validate/document:every_missing_member_is_told",),
    "54": ("unit/validate/document:a_name_of_another_type_is_told_at_its_place",),
    "55": (
        "unit/validate/names:names_that_mean_something_else_in_an_address_are_refused",
        "unit/definitions/paths:a_word_that_leads_out_of_its_folder_is_refused",
        "unit/live/requests:a_name_that_would_leave_its_folder_builds_nothing",
    ),
    "56": ("unit/validate/references:names_that_look_the_same_are_warned_about",),
    "57": ("unit/validate/desired:one_key_twice_is_told_with_all_places_and_none_is_applied",),
    "59": (f"{HERE}:a_wrong_manifest_is_told_at_its_place_and_its_neighbour_goes_on", "sessions/validate-broken-files"),
    "60": ("unit/validate/document:another_platform_or_version_is_told_with_the_right_one",),
    "61": ("unit/validate/document:a_scope_word_that_nobody_gives_is_an_error",),
    "62": (f"{HERE}:a_wrong_manifest_is_told_at_its_place_and_its_neighbour_goes_on",),
    "63": ("sessions/validate-unknown-key",),
    "64": ("unit/validate/secret_leaves:a_secret_in_clear_is_warned_about_without_its_value",),
    "65": (
        "unit/validate/placeholders:a_placeholder_in_one_line_is_an_error",
        "unit/validate/placeholders:what_may_be_meant_as_it_stands_is_a_warning",
    ),
    "66": (
        "unit/validate/desired:a_secret_that_the_target_does_not_have_is_told_at_its_place",
        "unit/validate/secret_leaves:every_other_way_to_name_a_secret_is_refused_once",
    ),
    "67": (f"{HERE}:nothing_that_a_manifest_names_is_opened",),
    "68": (
        "unit/validate/references:a_resource_that_depends_on_itself_is_told",
        "unit/validate/references:a_cycle_of_two_is_told_once_with_both_places",
        "unit/validate/references:a_long_cycle_is_found_with_the_place_of_every_edge",
        "unit/validate/references:a_dependency_that_no_manifest_declares_is_an_error_of_its_manifest_alone",
    ),
    "69": ("unit/validate/document:a_mark_written_by_hand_is_refused",),
    "70": ("unit/validate/desired:more_manifests_than_allowed_are_told_with_number_and_limit",),
    "72": (
        "unit/json_schema:bad_cron_says_how_to_write_one",
        "unit/json_schema:format_is_asserted_alike_by_both_engines",
    ),
    "73": (
        "unit/plan/compare:a_live_text_is_a_number_where_the_schema_wants_one",
        "unit/plan/quiet:what_the_server_twice_did_not_keep_is_quiet_until_git_asks_for_another",
    ),
    "74": ("unit/plan/compare:a_keyed_list_ignores_order",),
    "75": ("unit/validate/document:a_member_that_the_platform_owns_is_refused_once",),
    "76-77": ("unit/validate/lifecycle:each_wrong_word_is_told_at_its_place",),
    "78": (
        "unit/validate/references:a_move_from_what_still_exists_is_an_error_at_both_places",
        "unit/validate/references:two_moves_from_one_are_an_error",
    ),
    "79": ("sessions/apply-empty-folder", "sessions/apply-delete-limit", "sessions/prune"),
    "80": ("sessions/apply-a-renamed-file",),
    # Schemas
    "82-86 88": ("unit/json_schema_check:bad_schema_is_refused_with_its_place",),
    "82": ("unit/json_schema:nothing_is_fetched_even_without_the_load_rules",),
    "85": ("unit/json_schema:hostile_pattern_takes_linear_time",),
    "86": ("unit/json_schema_check:pattern_beyond_linear_time_is_refused_with_and_without_the_engine",),
    "87": ("unit/json_schema_check:wrong_type_word_names_the_nearest",),
    "88": ("unit/json_schema_check:ways_through_branches_are_limited",),
    "89": ("unit/json_schema:unique_items_of_3000_mappings_take_less_than_50_ms",),
    "90": ("unit/json_schema:multiple_of_is_exact",),
    "91": (
        "unit/json_schema_check:known_draft_is_accepted_and_its_metaschema_asserted",
        "unit/json_schema:older_drafts_are_judged_by_their_own_rules",
    ),
    "92": ("unit/json_schema:format_is_asserted_alike_by_both_engines",),
    "93": ("unit/json_schema_check:yaml_anchors_are_expanded",),
    "94": (f"{HERE}:a_default_in_a_schema_is_never_applied",),
    "96": (
        "unit/json_schema:both_engines_give_one_verdict_and_each_no_has_words",
        "unit/json_schema:unevaluated_key_is_an_unknown_key",
    ),
    "97": (
        "unit/json_schema:sensitive_value_is_never_shown",
        "unit/validate/secret_leaves:a_wrong_type_in_a_secret_leaf_does_not_show_the_value",
    ),
    "98": ("unit/json_schema:50000_errors_are_capped_within_a_second",),
    # Definitions
    "99-101 105": ("unit/definitions/mistakes:a_mistake_is_refused_at_its_place",),
    "100": ("unit/definitions/paths:a_line_that_is_no_path_below_the_origin_is_refused",),
    "102": (
        "unit/definitions/answers:items_that_select_no_list_are_refused",
        "unit/live/api:null_or_another_shape_is_never_an_empty_list",
    ),
    "103": ("unit/definitions/select:a_nesting_bomb_is_an_expression_error",),
    "104": ("unit/definitions/select:every_way_to_multiply_the_input_counts",),
    "106": ("unit/definitions/refused_files:a_newer_format_is_refused_with_both_versions",),
    # Git trees and addresses
    "107": ("unit/source/hostile:links_are_never_followed", "unit/source/worktree:links_are_errors_and_never_followed"),
    "108": ("unit/source/hostile:submodules_are_errors_and_their_url_is_nobodys_business",),
    "109": ("unit/source/hostile:attributes_have_no_effect",),
    "110": (
        "unit/source/hostile:entries_that_no_checkout_could_hold_are_errors",
        "unit/source/mirror:an_unsafe_tree_is_refused_at_the_fetch_and_the_last_revision_stays",
    ),
    "111": ("unit/source/hostile:strange_file_names_are_read",),
    "112": ("unit/source/hostile:names_that_differ_by_case_or_form_only_are_both_read",),
    "113": ("unit/source/tree:names_that_windows_cannot_hold_are_read_with_a_warning",),
    "114": ("unit/source/hostile:the_mode_of_a_file_does_not_matter",),
    "115": ("unit/source/hostile:a_tree_without_end_is_cut_by_the_limit_of_entries",),
    "116": (
        "unit/source/git:a_command_works_under_limits_of_its_own",
        "unit/source/git:a_command_that_takes_too_long_is_killed_with_all_its_children",
    ),
    "117": (
        "unit/source/mirror:the_mirror_has_no_work_tree_and_only_the_followed_ref",
        "unit/source/hostile:replace_refs_have_no_effect",
    ),
    "118": (
        "unit/source/repository:a_missing_object_is_corruption_and_never_an_empty_folder",
        "unit/source/mirror:a_damaged_mirror_is_made_anew",
    ),
    "119": (
        "unit/source/local:a_deleted_branch_is_an_error_and_the_old_revision_stays_readable",
        "unit/source/local:an_empty_repository_says_that_it_has_no_commit",
    ),
    "120": ("unit/source/mirror:a_forced_push_is_followed_and_the_old_commit_stays_readable",),
    "121": ("unit/source/mirror:a_sha256_remote_is_mirrored",),
    "122-126": (
        "unit/source/address:doubtful_addresses_are_refused_as_configuration",
        "unit/source/address:a_refused_address_is_never_repeated",
    ),
    "126": ("unit/source/address:http_needs_to_be_allowed_by_name",),
    "127": ("unit/source/http:redirects_are_refused",),
    "128": ("unit/source/mirror:a_remote_on_this_machine_runs_nothing_of_its_own",),
    "129": ("unit/source/http:an_ssh_host_that_does_not_answer_is_unreachable",),
    "130": ("unit/source/hostile:a_poisoned_environment_has_no_effect",),
    "131": ("unit/source/hostile:a_poisoned_repository_runs_nothing",),
    "132": (
        "unit/source/worktree:what_is_no_regular_file_is_not_opened",
        "unit/source/worktree:a_file_that_becomes_a_fifo_or_a_link_is_not_read",
    ),
    "133": ("unit/source/worktree:a_file_is_taken_when_it_rests_and_is_an_error_when_it_never_does",),
    "134": ("unit/source/worktree:an_unreadable_file_or_folder_is_an_error_with_its_path",),
    "135": ("unit/source/tree:the_ending_decides_without_regard_to_case",),
    # Replies of the platform
    "136": ("sessions/platform-speaks-html", "unit/live/answers:a_success_that_cannot_be_read_is_broken"),
    "137": ("unit/live/answers:a_204_is_good_for_a_write_and_broken_for_a_read",),
    "138-140": ("unit/live/api:null_or_another_shape_is_never_an_empty_list",),
    "141": ("unit/live/api:a_row_that_cannot_be_told_leaves_the_list_incomplete",),
    "142": ("unit/live/api:a_row_that_comes_twice_is_one_row_of_an_incomplete_list",),
    "143": ("unit/live/api:rows_of_another_scope_are_ignored_and_still_counted",),
    "144": ("unit/live/paging:a_total_that_is_no_count_or_does_not_fit_leaves_the_list_incomplete",),
    "145": ("unit/live/paging:pages_that_never_end_are_cut_at_the_limit",),
    "146": ("unit/live/paging:a_next_link_anywhere_else_is_not_followed",),
    "147": ("unit/live/paging:an_ignored_offset_is_noticed_on_the_second_page",),
    "148-151": ("unit/live/strict_json:what_parsers_could_read_differently_is_refused",),
    "150": ("unit/live/strict_json:depth_is_counted_to_the_level",),
    "152": ("unit/live/transport:a_gzip_bomb_is_cut_at_the_budget",),
    "153-154 156": ("unit/live/transport:an_answer_that_is_not_whole_http_is_lost",),
    "155": ("unit/live/transport:the_deadline_is_for_the_whole_call_not_for_each_byte",),
    "157": ("unit/live/transport:a_redirect_is_an_answer_and_not_followed",),
    "158": ("unit/live/transport:a_cookie_is_never_sent_back",),
    "159": ("unit/live/rate_headers:nonsense_is_named_and_ignored",),
    "160": ("unit/live/auth:an_echoed_credential_is_nowhere_in_a_reply",),
    "161": ("unit/live/answers:messages_are_cut_cleaned_and_scrubbed_before_they_are_cut",),
    "162": (
        "unit/live/api:an_answer_to_a_create_must_be_about_it",
        "unit/live/answers:exists_needs_its_status_and_its_condition",
    ),
    "163": (
        "unit/live/packed:each_of_these_is_refused",
        "unit/live/packed:binary_values_and_extension_types_stay_opaque_bytes",
    ),
    "164": ("unit/live/codecs:a_yaml_answer_goes_through_the_same_door_as_manifests",),
    "165": (
        "unit/live/streams:a_frame_that_cannot_be_taken_ends_the_stream",
        "unit/live/streams:a_stream_that_says_nothing_ends",
        "unit/live/streams:a_flood_ends_the_stream_and_what_fits_does_not",
        "unit/live/streams:a_redirect_is_not_followed",
    ),
    # Webhooks: those of the platforms
    "166-168": ("unit/server/receivers:what_proves_nothing_is_refused",),
    "169": ("unit/server/receivers:a_body_that_was_written_anew_has_another_signature",),
    "170": (
        "unit/server/receivers:a_thousand_replays_are_taken_and_more_in_the_same_second_are_not",
        "unit/reconcile/woken_by_events:a_flood_costs_a_read_a_second",
        "system/webhooks:forged_and_replayed_events_change_nothing",
    ),
    "171": ("unit/server/receivers:a_new_secret_is_good_at_once_and_the_old_one_for_a_while",),
    "172": (
        "unit/server/receivers:a_body_at_the_limit_is_read_and_one_byte_more_is_not",
        "unit/server/listener:a_length_beyond_the_limit_is_refused_before_the_body_comes",
        "unit/server/listener:a_connection_that_goes_on_and_on_is_cut_off",
    ),
    "173": (
        "unit/reconcile/events:what_is_no_json_mapping_is_no_event",
        "unit/reconcile/events:an_event_of_no_rule_points_nowhere",
        "unit/server/receivers:what_the_reader_calls_malformed_is_told_to_the_sender",
    ),
    "174": ("unit/server/receivers:only_json_is_taken",),
    "176": ("unit/reconcile/events:an_event_of_no_rule_points_nowhere",),
    "177": ("unit/server/receivers:another_method_is_refused",),
    "178": ("unit/server/receivers:another_host_is_not_meant",),
    "179": (
        "unit/server/listener:connections_beyond_the_limit_are_turned_away_and_room_comes_back",
        "unit/server/listener:a_connection_that_goes_on_and_on_is_cut_off",
        "unit/reconcile/inbox:a_flood_of_names_is_bounded_and_served_in_portions",
    ),
    # Command line, configuration, environment
    "183": ("unit/cli/parser:flags_are_never_matched_by_their_beginning", "sessions/usage-errors"),
    "184": ("unit/config:a_duration_has_a_whole_number_and_a_unit", "unit/config:the_edges_of_an_interval_are_allowed"),
    "186": (
        "unit/config:what_is_no_file_is_refused_without_waiting",
        "unit/config:what_is_no_single_mapping_is_refused",
        "sessions/config-errors",
    ),
    "187": (
        "unit/config:all_mistakes_are_told_at_once_in_order_each_at_its_place",
        "unit/config:a_duplicate_key_names_both_places",
    ),
    "188": ("unit/config:a_credential_is_one_reference_and_its_text_is_never_shown",),
    "189": ("unit/cli/parser:a_secret_is_refused_and_not_repeated", "sessions/usage-errors"),
    "190": ("unit/secrets:a_missing_variable_is_named", "sessions/config-without-a-credential"),
    "191": ("unit/secrets:a_file_that_can_be_no_token_is_refused", "unit/secrets:the_largest_file_is_read"),
    "192": ("unit/config:a_doubtful_server_is_refused", "unit/config:a_plain_server_is_normalised"),
    "193": ("unit/live/transport:proxies_of_the_environment_are_ignored_unless_trusted",),
    "194": (
        f"{HERE}:no_home_folder_is_needed",
        "unit/source/mirror:a_cache_folder_that_cannot_be_made_is_an_error",
        "unit/store/database:a_full_disk_is_told_and_the_store_goes_on_when_there_is_room",
    ),
    "195": ("unit/store/lock:a_second_agent_is_refused_by_the_pid_of_the_first_until_that_dies",),
    "196": (
        "unit/store/location:a_network_file_system_is_refused_and_a_local_one_is_not",
        "unit/store/database:a_missing_folder_is_named",
        "unit/store/database:a_read_only_place_is_refused_for_writing_and_fine_for_reading",
        "unit/store/location:a_store_in_memory_is_ephemeral",
    ),
    "197": (
        "unit/store/database:a_file_that_is_no_database_is_refused_and_left_alone",
        "unit/store/versions:a_store_of_a_newer_program_is_refused_with_both_versions",
        "unit/store/database:zero_bytes_are_a_lost_store_not_a_new_one",
    ),
    "198": (
        "unit/store/database:a_url_that_cannot_be_used_is_refused_without_its_password",
        "unit/config:a_repr_shows_no_state_url",
    ),
    "199": ("unit/source/address:names_that_git_forbids_are_refused", "unit/config:a_source_is_unambiguous"),
    "200": ("unit/plan/planner:a_foreign_mark_is_never_touched",),
    "201": ("sessions/target-with-another-server",),
    "202": ("sessions/apply-stale-digest",),
}

# Rows of what does not exist yet, with what happens until then.
LATER: dict[str, str] = {
    "58": "targets are checked one by one; the second target finds the first one's mark and holds",
    "71": "a definition cannot say how large a body may be; the platform's own refusal is shown",
    "81": "a rename is a delete and a create; `movedFrom` is checked and not yet acted on",
    "95": "a plan is of one revision; definitions come from the installed program and the operator's folders",
    "175": "there is no receiver of a forge's webhooks; those of the platforms stand in rows 166-179",
    "180-182": "there are no pages and no metrics",
    "185": "a plan tells what it costs and how long that takes; the interval is not yet judged",
}
NUMBERED = set(range(1, 203))


def numbers(rows: str) -> set[int]:
    """`1-3 7` as the numbers that it stands for."""
    found: set[int] = set()
    for part in rows.split():
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def test_every_row_is_shown_or_named_as_later() -> None:
    shown = set().union(*(numbers(rows) for rows in ROWS))
    later = set().union(*(numbers(rows) for rows in LATER))
    assert sorted(NUMBERED - shown - later) == []
    assert sorted(shown & later) == [], "a row is shown now: strike it from LATER"


def test_every_test_of_the_table_exists() -> None:
    missing = sorted({place for places in ROWS.values() for place in places if not _exists(place)})
    assert missing == [], "renamed or removed: name the test that shows these rows now"


def _exists(place: str) -> bool:
    if place.startswith("sessions/"):
        return (TESTS / place / "script").is_file()
    file, _, name = place.partition(":")
    folder, _, module = file.rpartition("/")
    path = TESTS / folder / f"{module if module.startswith('test_') else f'test_{module}'}.py"
    return path.is_file() and bool(re.search(rf"def test_{name}\(", path.read_text(encoding="utf-8")))


NEIGHBOUR = b"name: neighbour\nversion: v1\ntype: depot\ndepot: {type: S3}\n"

WRONG = [
    # row, manifest, code, line, column
    (12, "name: {{ tpl }}\nversion: v1\ntype: depot\ndepot: {type: S3}\n", "yaml-template", 1, 7),
    (32, "name: 're\u202eports'\nversion: v1\ntype: depot\ndepot: {type: S3}\n", "name-invalid", 1, 7),
    (40, "just a text\n", "not-a-manifest", 1, 1),
    (44, "<!DOCTYPE html>\n<html></html>\n", "not-a-manifest", 1, 1),
    (54, "name: ''\nversion: v1\ntype: depot\ndepot: {type: S3}\n", "name-type", 1, 7),
    (55, "name: ../../admin\nversion: v1\ntype: depot\ndepot: {type: S3}\n", "name-invalid", 1, 7),
    (55, "name: '%2e%2e'\nversion: v1\ntype: depot\ndepot: {type: S3}\n", "name-invalid", 1, 7),
    (59, "apiVersion: dataos/v1\nkind: Depott\nmetadata: {name: a}\nspec: {}\n", "kind-unknown", 2, 7),
    (60, "apiVersion: dataos/v9\nkind: Depot\nmetadata: {name: a}\nspec: {}\n", "kind-unknown", 1, 13),
    (62, "name: a\nversion: v1\ntype: depot\nworkspace: x\ndepot: {type: S3}\n", "invalid-manifest", 4, 1),
    (63, "name: a\nversion: v1\ntype: depot\ndescripton: x\ndepot: {type: S3}\n", "unknown-key", 4, 1),
    (65, "name: a\nversion: v1\ntype: depot\ndescription: ${{text}}\ndepot: {type: S3}\n", "placeholder", 4, 14),
    (67, "name: a\nversion: v1\ntype: depot\ninclude: /etc/passwd\ndepot: {type: S3}\n", "unknown-key", 4, 1),
    (75, "name: a\nversion: v1\ntype: depot\nstatus: active\ndepot: {type: S3}\n", "read-only-field", 4, 1),
]


@pytest.fixture(scope="module")
def platform() -> Platform:
    return load_platform("dataos/v1")


def gathered(platform: Platform, files: dict[str, bytes]) -> Desired:
    checked = [
        (SourceFile(path, str(number)), check_file(source, platform, {}))
        for number, (path, source) in enumerate(files.items())
    ]
    return combine(
        "lake",
        platform,
        Revision("c" * 40),
        checked,
        read=lambda file, document: read_spec(files[file.path], platform, {}, document),
    )


@pytest.mark.parametrize(
    ("source", "code", "line", "column"), [row[1:] for row in WRONG], ids=[f"row {row[0]}" for row in WRONG]
)
def test_a_wrong_manifest_is_told_at_its_place_and_its_neighbour_goes_on(
    platform: Platform, source: str, code: str, line: int, column: int
) -> None:
    desired = gathered(platform, {"bad.yaml": source.encode(), "good.yaml": NEIGHBOUR})
    told = [(one.where.path, one.code, one.where.line, one.where.column) for one in desired.problems]
    assert ("bad.yaml", code, line, column) in told
    assert [key.name for key in desired.resources] == ["neighbour"]
    assert not desired.complete


def test_a_file_without_a_manifest_is_said_so_and_nothing_is_deleted_for_it(platform: Platform) -> None:
    desired = gathered(platform, {"empty.yaml": b"# moved elsewhere\n", "good.yaml": NEIGHBOUR})
    assert [(one.where.path, one.code, one.severity) for one in desired.problems] in (
        [],
        [("empty.yaml", "empty-file", "info")],
    )
    assert [key.name for key in desired.resources] == ["neighbour"]


def test_nothing_that_a_manifest_names_is_opened(platform: Platform, tmp_path: Path) -> None:
    fifo = tmp_path / "named"
    os.mkfifo(fifo)  # opening it would wait for ever
    source = f"name: a\nversion: v1\ntype: depot\n$ref: file://{fifo}\nfile: {fifo}\ndepot: {{type: S3}}\n"
    started = time.monotonic()
    desired = gathered(platform, {"bad.yaml": source.encode()})
    assert {one.code for one in desired.problems} == {"unknown-key"}
    assert time.monotonic() - started < 2


def test_a_default_in_a_schema_is_never_applied(platform: Platform) -> None:
    desired = gathered(platform, {"good.yaml": NEIGHBOUR})
    (resource,) = desired.resources.values()
    assert resource.read() == {"version": "v1", "depot": {"type": "S3"}}


def test_no_home_folder_is_needed(tmp_path: Path) -> None:
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests/good.yaml").write_bytes(NEIGHBOUR)
    (tmp_path / "datakeel.yaml").write_text(
        "apiVersion: datakeel/v1\nsource: {path: .}\ntargets: {lake: {platform: dataos, folder: manifests}}\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "agent", "validate", "-o", "json"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(TESTS.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["problems"] == []
