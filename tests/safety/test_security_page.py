"""What docs/security.md claims is shown by tests: each claim has a row here, and each row names tests that are there."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
SHOWN: dict[str, dict[str, tuple[str, ...]]] = {
    "Where things come in, and what is done there": {
        "any file": (
            "files/test_reading: what_is_no_file_of_the_root_is_refused_and_not_waited_for",
            "files/test_reading: a_file_beyond_its_size_is_refused_by_name_size_and_limit",
        ),
        "links in a root": (
            "files/test_reading: a_link_inside_the_root_is_followed_and_the_root_may_be_one",
            "files/test_reading: what_is_no_file_of_the_root_is_refused_and_not_waited_for",
        ),
        "YAML": (
            "config/test_config: yaml_that_is_broken_or_a_trap_is_refused_with_its_row",
            "config/test_yaml_file: a_value_that_is_read_otherwise_than_it_is_meant_is_refused",
        ),
        "JSON": ("files/test_reading: json_nested_too_deep_is_refused",),
        "CSV, Parquet": (
            "files/test_reading: a_history_beyond_a_limit_is_refused_by_row_and_limit",
            "sources/test_tidy: parquet_that_unpacks_to_far_more_than_its_rows_need_is_refused_before_it_is_read",
            "sources/test_tidy: a_bad_row_is_refused_with_file_row_column_value_and_what_is_allowed",
        ),
        "numbers and times": (
            "model/test_times: a_time_of_a_broken_clock_is_refused",
            "faults/test_fuzz: no_mishap_makes_a_value_that_nobody_wrote",
        ),
        "names": (
            "reports/test_report_visible: hidden_characters_are_printed_as_their_number",
            "safety/test_hostile_names: hostile_names_are_inert_text_in_a_browser",
            "sources/test_root: names_are_one_where_that_is_certain_and_are_told_apart_where_it_is_not",
        ),
        "answers of servers that `tars pull` asks": (
            "sources/pulled/test_web: a_gigantic_answer_is_not_read_to_its_end",
            "sources/pulled/test_web: a_slow_server_is_not_waited_for",
            "sources/pulled/test_web: a_redirect_to_another_host_is_not_followed",
            "sources/pulled/test_web: the_next_page_must_be_on_the_host",
            "pipeline/pulling/test_pull_whole: large_answers_pass_the_gate_piece_by_piece",
        ),
        "secrets of sources": (
            "config/pulling/test_sources_file: a_secret_is_refused_and_not_repeated",
            "sources/pulled/test_web: the_token_goes_to_the_server_and_into_no_message",
        ),
        "queries of sources": (
            "sources/pulled/test_sql_source: what_is_wrong_is_told_in_one_line",
            "sources/pulled/test_sql_source: only_the_range_is_read",
        ),
        "texts for a timeline": (
            "incidents/test_journal: a_text_without_an_end_and_a_closed_stdin_are_refused_with_one_line",
            "incidents/test_journal: an_entry_that_would_make_the_timeline_too_long_to_read_is_refused",
        ),
        "records and reports read back": (
            "safety/test_altered_reports: a_report_of_a_run_that_its_manifest_contradicts_is_refused",
            "safety/test_altered_reports: classify_believes_no_altered_run_and_no_report_that_contradicts_itself",
            "safety/test_altered_reports: a_report_without_its_numbers_is_refused_by_every_engine",
            "incidents/test_journal: every_single_altered_byte_of_the_timeline_is_found_and_its_row_named",
        ),
        "bundles": (
            "evidence/test_bundle_spoiled: a_bomb_is_refused_without_being_unpacked",
            "evidence/test_bundle_spoiled: a_name_that_leads_elsewhere_is_named_and_nothing_is_unpacked",
        ),
        "answers of time-stamping authorities": (
            "evidence/test_bundle_stamps: an_authority_that_does_not_stamp_these_bytes_leaves_no_bundle",
            "evidence/test_bundle_stamps: no_altered_byte_of_a_stamp_moves_its_time_or_passes_as_another_content",
        ),
        "environment": ("safety/test_no_secret_is_written: no_secret_of_the_environment_is_in_any_file",),
    },
    "Where things go out": {
        "every file": (
            "faults/test_writing: every_write_is_flushed_before_it_gets_its_name",
            "faults/test_writing: a_link_in_place_of_a_file_is_replaced_and_what_it_leads_to_is_left_alone",
            "faults/test_writing: of_files_that_belong_together_none_is_replaced_where_one_cannot_be_written",
            "incidents/test_failed_steps: after_an_error_of_a_system_call_what_was_told_is_what_stands",
        ),
        "every folder": ("faults/test_outputs: a_place_that_cannot_be_a_folder_is_one_line_that_says_what_is_there",),
        "evidence": (
            "evidence/test_bundle_kept: of_two_writers_of_one_name_the_second_is_refused_and_nothing_is_overwritten",
            "evidence/test_bundle_kept: an_export_overwrites_nothing",
        ),
        "run directory": ("faults/test_writing: a_run_whose_hidden_folder_was_exchanged_is_not_kept",),
        "object stores": (
            "files/test_object_store: what_cannot_be_sent_whole_is_taken_back",
            "files/test_object_store: an_address_that_is_refused_shows_no_key",
            "files/test_object_store: a_name_that_could_lead_elsewhere_is_refused",
        ),
        "incident records, timelines, locks": (
            "incidents/test_journal: records_are_readable_by_their_owner_alone",
            "faults/test_writing: a_link_in_place_of_a_file_of_an_incident_is_never_written_through",
        ),
        "bundles that hold an incident, their copies by `tars bundle export`, `custody.jsonl`, everything in the archive": (
            "evidence/test_bundle_custody: copies_of_an_incident_are_for_the_owner_alone_as_its_record_is",
            "evidence/test_bundle_custody: the_record_of_custody_is_never_open_to_others",
        ),
        "other files": ("faults/test_writing: the_mode_of_a_file_is_the_umasks_or_private",),
        "CSV": (
            "safety/test_hostile_names: no_cell_of_a_table_begins_a_formula",
            "cli/test_terminal: no_cell_of_a_csv_is_a_formula_or_hides_anything",
        ),
        "terminal": (
            "cli/test_terminal: whatever_is_written_to_the_terminal_hides_nothing",
            "cli/test_terminal: json_hides_nothing_and_says_the_same",
        ),
        "messages": (
            "channels/test_acknowledgement: no_redirect_is_followed_whatever_stands_at_its_end",
            "channels/test_acknowledgement: a_web_page_is_no_receipt_for_a_json_channel",
        ),
        "HTML, PDF, Markdown": (
            "safety/test_hostile_names: hostile_names_are_inert_text_in_a_browser",
            "reports/test_report_html: the_page_has_no_script_and_loads_nothing",
            "reports/test_report_html: the_policy_admits_this_style_and_nothing_else",
        ),
    },
    "What runs": {
        "The command and the kernels": (
            "safety/test_foreign_names: a_command_that_makes_reports_runs_nothing_of_the_current_folder",
            "safety/test_foreign_names: a_run_directory_and_an_unpacked_bundle_are_data",
        ),
        "A kernel starts with": (
            "safety/test_foreign_names: a_run_directory_and_an_unpacked_bundle_are_data",
        ),
        "A test plants every name": (
            "safety/test_foreign_names: the_playbooks_commands_run_nothing_that_lies_in_the_checkout",
        ),
    },
    "When something breaks": {
        "A full disk, a lost permission": (
            "faults/test_writing: a_full_disk_is_one_line_and_leaves_nothing_and_the_next_run_succeeds",
            "faults/test_writing: a_read_only_outdir_is_one_line",
            "faults/test_streams: few_file_handles_and_little_memory_are_one_line",
        ),
        "Under 400 MB of address space": ("faults/test_streams: few_file_handles_and_little_memory_are_one_line",),
        "A closed or full standard error": (
            "faults/test_streams: a_closed_stream_changes_no_verdict",
            "faults/test_streams: a_full_device_under_stderr_changes_no_verdict",
        ),
        "Reports need no writable home": ("faults/test_streams: a_report_needs_no_home",),
        "A signal ends a command": ("faults/test_streams: a_signal_at_any_moment_ends_without_a_traceback_and_leaves_nothing",),
        "A kill at any moment": (
            "faults/test_fuzz: kills_leave_nothing_half_written_that_is_accepted_and_lose_nothing_acknowledged",
            "faults/test_writing: leftovers_of_a_killed_run_are_passed_over_and_removed_a_day_later",
        ),
        "What commands work on meanwhile": (
            "files/test_scratch: a_folder_is_empty_private_named_after_its_use_and_gone_at_the_end",
        ),
        "Each holds a lock": ("files/test_scratch: what_a_killed_process_left_is_swept_and_what_a_living_one_uses_stays",),
        "Kernels of a killed command": ("safety/test_kernels_end: the_kernel_of_a_killed_command_ends_by_itself",),
        "A note that was acknowledged": ("incidents/test_journal: a_kill_at_any_moment_loses_nothing_that_was_acknowledged",),
        "Two pipelines": ("faults/test_writing: two_pipelines_into_one_folder_get_a_whole_run_each",),
        "A clock that goes backwards": ("incidents/test_repair: a_clock_that_goes_backwards_moves_no_entry",),
        "Where an incident's lock": ("incidents/test_failed_steps: a_stale_lock_is_told_from_a_busy_one",),
    },
}  # fmt: skip
"""By section and claim (the first cell of a row, or how a sentence begins): the tests that show it."""


def section(heading: str) -> str:
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL)
    assert found, heading
    return found[1]


@cache
def named_in(file: str) -> set[str]:
    return set(
        re.findall(r"^def test_(\w+)\(", (ROOT / "tests" / f"{file}.py").read_text(encoding="utf-8"), re.MULTILINE)
    )


@pytest.mark.parametrize("heading", [name for name in SHOWN if name.startswith("Where")])
def test_every_row_of_the_page_is_shown_by_tests(heading: str) -> None:
    rows = [line.strip("|").split(" | ")[0].strip() for line in section(heading).splitlines() if line.startswith("| ")]
    assert set(rows[1:]) == set(SHOWN[heading])


@pytest.mark.parametrize("heading", ["What runs", "When something breaks"])
def test_every_sentence_of_the_page_is_shown_by_tests(heading: str) -> None:
    # what Python does by itself, and what make fuzz is, are no claims on this tool
    text = section(heading).partition("Three things Python does")[0].partition("`make fuzz`")[0]
    sentences = re.split(r"(?<=[.])\s+(?=[A-Z])", " ".join(text.split()))
    assert all(sum(one.startswith(begin) for begin in SHOWN[heading]) == 1 for one in sentences), sentences
    assert len(sentences) == len(SHOWN[heading])


def test_every_test_that_is_named_is_there() -> None:
    named = {test for claims in SHOWN.values() for tests in claims.values() for test in tests}
    assert sorted(test for test in named if test.partition(": ")[2] not in named_in(test.partition(": ")[0])) == []
