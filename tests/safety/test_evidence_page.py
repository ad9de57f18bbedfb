"""What docs/evidence.md claims is shown by tests: each paragraph has a row here, and each row names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEADING = ("On the zip as", "The first two lines", "In the unpacked folder", "or without this tool", "`python scripts/")
"""How paragraphs begin that claim nothing: they lead to what follows, or name a command that docs/generate.py prints."""
SHOWN = {
    "A bundle is what leaves": ("evidence/test_bundle_spoiled: four_tools_agree_on_a_good_bundle",),
    "Of a run that [refers": ("pipeline/test_parts: a_run_that_refers_to_its_samples_reads_as_one_that_copies_them",),
    "Notebooks run in a copy": (
        "evidence/test_bundle_contents: no_file_but_the_incidents_own_record_names_a_place_on_the_machine",
    ),
    "The same evidence, name": (
        "evidence/test_bundle_contents: two_folders_time_zones_and_locales_give_the_same_bytes",
        "evidence/test_bundle_spoiled: the_archive_is_what_zipfile_writes_and_reads",
    ),
    "What stands under": (
        "evidence/test_bundle_kept: another_bundle_does_not_take_the_name_of_one_that_stands_there",
        "evidence/test_bundle_kept: of_two_writers_of_one_name_the_second_is_refused_and_nothing_is_overwritten",
        "evidence/test_bundle_kept: a_name_that_some_system_cannot_hold_is_refused",
        "evidence/test_bundle_kept: a_redacted_bundle_has_a_default_name_of_its_own",
    ),
    "A run with an altered": (
        "evidence/test_bundle_contents: a_run_that_is_not_whole_is_refused_and_packed_as_partial_when_told_to",
        "evidence/test_bundle_contents: every_export_of_a_partial_bundle_says_so_on_its_first_page",
    ),
    "- `CONTENT`": (
        "evidence/test_bundle_handling: the_first_two_lines_are_the_verdict_then_cause_and_next_step",
        "evidence/test_bundle_handling: ten_faults_are_named_and_the_rest_counted",
        "evidence/test_bundle_handling: a_zip_that_two_readers_read_differently_is_damaged",
        "evidence/test_bundle_handling: a_header_that_calls_a_file_encrypted_where_the_directory_does_not_is_damage",
        "evidence/test_bundle_spoiled: a_run_that_was_altered_before_it_was_sealed_anew_is_named",
    ),
    "Then come the likely cause": (
        "evidence/test_bundle_handling: honest_handling_is_told_as_it_is",
        "evidence/test_bundle_handling: a_bundle_packed_anew_makes_the_bytes_that_were_written",
        "evidence/test_bundle_spoiled: verifying_writes_nothing",
    ),
    "What is said after": (
        "evidence/test_bundle_handling: the_table_of_the_page_is_what_the_script_prints",
        "evidence/test_bundle_handling: dishonest_handling_is_found_and_the_file_named",
    ),
    "`--head` of": ("evidence/test_bundle_stamps: a_bundle_is_compared_with_a_head_that_was_published",),
    "`verify.py` comes last": (
        "evidence/test_bundle_handling: a_program_at_the_bundles_root_is_named_also_where_the_manifests_list_it",
    ),
    "All four agree": (
        "evidence/test_bundle_spoiled: random_changes_deletions_additions_and_renames_of_files_are_found_and_named",
        "evidence/test_bundle_spoiled: a_carried_file_dropped_with_its_line_is_seen_by_ours_and_the_carried_check",
    ),
    "Digests show that": ("evidence/test_bundle_keys: unsigned_is_said_plainly_and_fails_where_a_key_is_asked_for",),
    "- **minisign**": (
        "evidence/test_bundle_keys: a_signature_is_checked_by_key_and_by_file",
        "evidence/test_bundle_keys: minisign_itself_accepts_the_signature",
        "evidence/test_bundle_keys: gpg_signs_and_checks",
    ),
    "The secret key is read": (
        "evidence/test_bundle_keys: no_secret_stands_in_any_file_or_message",
        "evidence/test_bundle_kept: a_place_or_a_key_that_will_not_do_is_refused_before_a_run_is_read",
    ),
    "The time of a signature": (
        "evidence/test_bundle_stamps: a_stamped_bundle_is_checked_by_the_authoritys_root_and_by_openssl",
    ),
    "The bundle's SHA-256": (
        "evidence/test_bundle_stamps: an_authority_that_does_not_stamp_these_bytes_leaves_no_bundle",
        "evidence/test_bundle_stamps: what_is_not_stamped_by_that_authority_fails_where_it_is_asked_for",
    ),
    "Creation, verification": ("evidence/test_bundle_custody: without_an_incident_acts_are_chained_beside_the_bundle",),
    "Of an incident they stand": (
        "evidence/test_bundle_custody: of_an_incident_acts_stand_in_its_timeline",
        "evidence/test_bundle_custody: an_exchanged_bundle_is_not_handed_on_and_never_becomes_the_recorded_one",
        "evidence/test_bundle_custody: an_earlier_bundle_of_the_same_name_is_genuine_and_called_earlier",
        "evidence/test_bundle_custody: a_file_from_elsewhere_is_verified_without_leaving_a_trace",
    ),
    "The entry on a bundle's": (
        "evidence/test_bundle_contents: entries_on_bundles_at_the_end_are_not_packed_so_the_state_gives_the_same_bytes",
    ),
    "The end of `custody.jsonl`": (
        "evidence/test_bundle_custody: lines_cut_off_at_the_end_and_a_record_that_is_gone_are_seen",
    ),
}
"""By how a paragraph begins: the tests that show what it says."""


def test_every_paragraph_is_shown_by_tests_that_are_there() -> None:
    page = re.sub(r"```.*?```", "", (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    parts = [part.strip("\n") for part in page.split("\n\n")]
    prose = [part for part in parts if part and not part.startswith(("#", "|", "    ", *LEADING))]
    assert [sum(part.startswith(begin) for begin in SHOWN) for part in prose] == [1] * len(SHOWN), prose
    for file, name in (test.split(": ") for tests in SHOWN.values() for test in tests):
        source = (ROOT / "tests" / f"{file}.py").read_text(encoding="utf-8")
        assert f"\ndef test_{name}(" in source, name
