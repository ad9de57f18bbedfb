"""A bundle's files, redacted: one value has one placeholder in every format, and the report says how many, never which."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tars_lib.errors import ConfigError, VerificationError
from tars_lib.redaction.config import read_redaction
from tars_lib.redaction.payload import Redaction, Treatment
from tars_lib.redaction.rules import Rules

MAIL, IP, KEY = "ada@example.com", "203.0.113.9", "AK" + "IAIOSFODNN7EXAMPLE"
RULES = """
patterns:
  - {name: customer, regex: 'cust-\\d+', ignore_case: true}
fields:
  - {name: person, path: '*.owner'}
  - {name: note, path: text, file: timeline.jsonl, everywhere: false}
words:
  - {name: codename, words: [Blue Heron]}
built_in: {ipv4: false}
"""


def rules(tmp_path: Path, text: str = RULES) -> Rules:
    place = tmp_path / "redaction.yaml"
    place.write_text(text, encoding="utf-8")
    return read_redaction(place)


def parquet(**columns: list[str | float | None]) -> bytes:
    sink = pa.BufferOutputStream()
    table = pa.table({name: pa.array(values) for name, values in columns.items()})
    pq.write_table(table.append_column("coded", table.column("who").dictionary_encode()), sink)
    return bytes(sink.getvalue().to_pybytes())


def files() -> dict[str, bytes]:
    return {
        "a/people.json": json.dumps(
            {"team": [{"owner": "Grace Hopper", "mail": MAIL, "load": 1.5}], MAIL: 1}, sort_keys=True, indent=1
        ).encode(),
        "a/timeline.jsonl": (
            json.dumps({"seq": 1, "text": "free text", "who": MAIL}) + "\n" + json.dumps({"text": "ok"}) + "\n"
        ).encode(),
        "cells.csv": f'who,n\r\n"Hopper, ""G"" Grace Hopper",1\r\n"={MAIL}",2\r\n'.encode(),
        "page.md": f"Grace Hopper wrote {MAIL.replace('.', chr(92) + '.')}, Blue Heron, CUST-77; {IP}; free text\n".encode(),
        "page.html": f"<p title='{MAIL}'>Grace Hopper: ada&#64;exam\u200bple.com &lt;{KEY}&gt;</p>".encode(),
        "note.ipynb": json.dumps(
            {
                "cells": [
                    {
                        "source": [
                            "-----BEGIN PRIVATE KEY-----\n",
                            "MIIEvQIBADANBgkqhkiG9w0B\n",
                            "-----END PRIVATE KEY-----",
                        ]
                    }
                ]
            }
        ).encode(),
        "plot.svg": f"<svg><text>{MAIL}</text></svg>".encode(),
        "drawn.svg": b'<svg><g id="text_1"><path d="M 0 0"/></g></svg>',
        "data.parquet": parquet(who=[MAIL, "x", None], n=[1.0, 2.0, 3.0]),
        "report.pdf": b"%PDF-1.7 \xff",
        "old.html": b"<img src='data:image/png;base64,aaaa'>",
        "latin.txt": "caf\xe9".encode("latin-1"),
        f"{MAIL}.txt": b"plain\n",
        "same.txt": b"nothing to see\n",
    }


def made(tmp_path: Path) -> tuple[dict[str, bytes], dict[str, object], Redaction]:
    redaction = Redaction(rules(tmp_path))
    redaction.learn(files())
    kept, report = redaction.payload(files(), rendered={"report.pdf"})
    return kept, json.loads(report.text), redaction


def test_one_value_has_one_placeholder_in_every_format(tmp_path: Path) -> None:
    kept, _, redaction = made(tmp_path)
    mail, person = redaction.redactor.placeholders[MAIL], redaction.redactor.placeholders["Grace Hopper"]
    assert (mail, person) == ("[REDACTED-email-1]", "[REDACTED-person-1]")
    people = json.loads(kept["a/people.json"])
    assert people["team"] == [{"owner": person, "mail": mail, "load": 1.5}]
    assert people[mail] == 1
    rows = list(csv.reader(io.StringIO(kept["cells.csv"].decode(), newline="")))
    assert rows[:2] == [["who", "n"], [f'Hopper, "G" {person}', "1"]]
    assert rows[2] == [f"={mail}", "2"]
    assert kept["page.md"].decode() == (
        f"{person} wrote {mail}, [REDACTED-codename-1], [REDACTED-customer-1]; {IP}; free text\n"
    )
    assert kept["page.html"].decode() == (f"<p title='{mail}'>{person}: {mail} &lt;[REDACTED-aws-key-id-1]&gt;</p>")
    assert json.loads(kept["note.ipynb"])["cells"] == [{"source": ["[REDACTED-private-key-1]"]}]
    assert kept["plot.svg"] == f"<svg><text>{mail}</text></svg>".encode()
    table = pq.read_table(pa.BufferReader(kept["data.parquet"]))
    assert table.column("who").to_pylist() == table.column("coded").to_pylist() == [mail, "x", None]
    assert table.column("n").to_pylist() == [1.0, 2.0, 3.0]
    assert kept["REDACTED-email-1.txt"] == b"plain\n"


def test_a_field_kept_to_its_place_is_removed_there_alone(tmp_path: Path) -> None:
    kept, _, _ = made(tmp_path)
    entries = [json.loads(line) for line in kept["a/timeline.jsonl"].splitlines()]
    assert [entry["text"] for entry in entries] == ["[REDACTED-note-1]", "[REDACTED-note-2]"]
    assert entries[0]["who"] == "[REDACTED-email-1]"
    assert b"free text" in kept["page.md"]


def test_what_cannot_be_edited_is_left_out_with_its_reason_unless_it_was_made_from_redacted_data(
    tmp_path: Path,
) -> None:
    kept, report, _ = made(tmp_path)
    of = {entry["path"]: entry for entry in report["files"]}  # type: ignore[attr-defined]
    assert {path for path, entry in of.items() if entry["treatment"] == "LEFT_OUT"} == {
        "drawn.svg",
        "old.html",
        "latin.txt",
    }
    assert all(of[path]["reason"] and path not in kept for path in ("drawn.svg", "old.html", "latin.txt"))
    assert of["report.pdf"]["treatment"] == "RENDERED"
    assert of["same.txt"]["treatment"] == "UNCHANGED"
    assert kept["same.txt"] == files()["same.txt"]


def test_the_report_ties_each_file_to_its_original_and_holds_no_value(tmp_path: Path) -> None:
    kept, report, redaction = made(tmp_path)
    for entry in report["files"]:  # type: ignore[attr-defined]
        original = files().get(entry["path"])
        if original is not None and entry["treatment"] != Treatment.RENDERED:
            assert entry["original_sha256"] == hashlib.sha256(original).hexdigest()
        if entry["sha256"] is not None:
            assert entry["sha256"] == hashlib.sha256(kept[entry["path"]]).hexdigest()
    counts = {rule["name"]: (rule["matches"], rule["distinct_values"]) for rule in report["rules"]}  # type: ignore[attr-defined]
    assert counts["email"][1] == 1
    assert counts["person"][1] == 1
    assert counts["note"] == (2, 2)
    assert counts["aws-key-id"] == (1, 1)
    text = json.dumps(report)
    assert not [value for value in redaction.redactor.placeholders if len(value) > 2 and value in text]
    whole = b"".join(content for path, content in kept.items() if path != "data.parquet")
    assert not [value for value in (MAIL, KEY, "Grace Hopper", "Blue Heron", "CUST-77") if value.encode() in whole]


def test_redacting_twice_gives_the_same_bytes_and_changes_nothing_more(tmp_path: Path) -> None:
    first, report, _ = made(tmp_path)
    again, other, _ = made(tmp_path)
    assert (first, report) == (again, other)
    redaction = Redaction(rules(tmp_path))
    redaction.learn(first)
    kept, second = redaction.payload(first, rendered={"report.pdf"})
    assert kept == first
    assert {file.treatment for file in second.files} <= {Treatment.UNCHANGED, Treatment.RENDERED}


def test_a_payload_in_which_something_is_left_is_refused(tmp_path: Path) -> None:
    redaction = Redaction(rules(tmp_path))
    assert redaction.remaining({"x.json": json.dumps({"a": MAIL}).encode()}) == [("x.json", "email")]
    assert redaction.remaining({"x.json": json.dumps({"b": {"owner": "Al"}}).encode()}) == [("x.json", "person")]
    escaped = json.dumps({"a": MAIL}).replace("@", "\\u0040").encode()
    assert redaction.remaining({"x.json": escaped}) == [("x.json", "email")]
    redaction.value = lambda file, path, text: text  # type: ignore[method-assign] - a walk that forgets
    with pytest.raises(VerificationError, match=r"redaction left 1 matches \(x.txt: email\); nothing was written"):
        redaction.payload({"x.txt": MAIL.encode()})


LONG = (
    "the codename is Blue Heron and "
    + KEY
    + " is the key on file of /home/ada/secrets and the rest of this note goes on "
    "without any punctuation as notes in a hurry do until it is longer than two hundred characters which is soon enough "
    "and it says " + KEY
)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("a.json", {"note": LONG}),
        ("a.jsonl", {"text": LONG.replace(" ", "/")}),
        ("a.ipynb", {"cells": [{"source": LONG}, {"outputs": [{"data": {"text/plain": [LONG + "\n", LONG]}}]}]}),
        ("b.ipynb", {"cells": [{"outputs": [{"data": {"image/png": LONG.replace(" ", "/")}}]}]}),
        ("c.json", {"image/png": "iVBORw0KGgo" + "/" + LONG.replace(" ", "/")}),
    ],
)
def test_a_long_text_of_letters_alone_is_read_like_any_other(tmp_path: Path, path: str, content: object) -> None:
    redaction = Redaction(rules(tmp_path, "words: [{name: codename, words: [Blue Heron]}]"))
    written = json.dumps(content).encode()
    assert {rule for _, rule in redaction.remaining({path: written})} >= {"aws-key-id"}
    kept, _ = redaction.payload({path: written}, rendered={path})
    assert KEY.encode() not in kept[path]
    assert b"Blue Heron" not in kept[path]


@pytest.mark.parametrize("picture", ["iVBORw0KGgo" + "Ada/" * 60, ("iVBORw0KGgo" + "/Ada" * 40)[:76] + "\n/Ada+Ab="])
def test_pictures_of_a_notebook_made_from_redacted_data_stay_whole(tmp_path: Path, picture: str) -> None:
    redaction = Redaction(rules(tmp_path, "words: [{name: who, words: [Ada]}]"))
    written = json.dumps({"cells": [{"outputs": [{"data": {"image/png": picture, "text/plain": "Ada"}}]}]}).encode()
    kept, _ = redaction.payload({"a.ipynb": written}, rendered={"a.ipynb"})
    (cell,) = json.loads(kept["a.ipynb"])["cells"]
    assert cell["outputs"][0]["data"] == {"image/png": picture, "text/plain": "[REDACTED-who-1]"}
    _, report = redaction.payload({"a.ipynb": written})
    assert report.files[0].reason == "it holds pictures, which cannot be edited"


@pytest.mark.parametrize("path", ["a.json", "a.jsonl", "a.ipynb"])
def test_a_file_with_a_name_twice_in_an_object_is_left_out(tmp_path: Path, path: str) -> None:
    written = ('{"ok": 1}\n' * (path == "a.jsonl") + f'{{"x": [{{"a": "{KEY}", "a": "x"}}]}}').encode()
    kept, report = Redaction(rules(tmp_path)).payload({path: written})
    assert kept == {}
    assert report.files[0].reason.startswith("a name stands twice in one of its objects")


def test_numbers_go_from_named_fields_and_stay_everywhere_else(tmp_path: Path) -> None:
    redaction = Redaction(rules(tmp_path, "fields: [{name: account, path: '*.account', leave: ['0']}]"))
    rows = {
        "rows": [{"account": 4711123, "load": 4711123}, {"account": 0, "ok": True}, {"account": None}, {"account": 1.5}]
    }
    held = {
        "a.json": json.dumps(rows).encode(),
        "a.jsonl": json.dumps({"account": 4711123}).encode(),
        "a.parquet": parquet(who=["x", "y"], account=[7.5, None], load=[7.5, None]),
    }
    assert {path for path, _ in redaction.remaining(held)} == set(held)
    redaction.learn(held)
    kept, _ = redaction.payload(held)
    account = redaction.redactor.placeholders["4711123"]
    assert json.loads(kept["a.json"])["rows"] == [
        {"account": account, "load": 4711123},
        {"account": 0, "ok": True},
        {"account": None},
        {"account": redaction.redactor.placeholders["1.5"]},
    ]
    assert json.loads(kept["a.jsonl"]) == {"account": account}
    table = pq.read_table(pa.BufferReader(kept["a.parquet"]))
    assert table.column("account").to_pylist() == [redaction.redactor.placeholders["7.5"], None]
    assert table.column("load").to_pylist() == [7.5, None]


def test_a_field_that_says_password_gives_its_value_away_in_any_format(tmp_path: Path) -> None:
    held = {
        "a.json": json.dumps(
            {"db": {"password": "swordfish", "API_KEY": "abcd1234efgh", "key": "web", "token": "expired"}}
        ),
        "a.jsonl": json.dumps({"X-Api-Key": "abcd1234efgh"}),
        "a.csv": "who,password\nada,swordfish\n",
    }
    redaction = Redaction(rules(tmp_path))
    written = {path: text.encode() for path, text in held.items()}
    assert {path for path, _ in redaction.remaining(written)} == set(held)
    kept, _ = redaction.payload(written)
    whole = b"".join(kept.values())
    assert b"swordfish" not in whole
    assert b"abcd1234efgh" not in whole
    assert [json.loads(kept["a.json"])["db"][name] for name in ("key", "token")] == ["web", "expired"]


def test_two_names_of_fields_with_one_placeholder_keep_both_values(tmp_path: Path) -> None:
    redaction = Redaction(rules(tmp_path, "words: [{name: w, words: [Heron]}]"))
    kept, _ = redaction.payload({"a.json": json.dumps({"heron": 1, "HERON": 2}).encode()})
    assert json.loads(kept["a.json"]) == {"[REDACTED-w-1]": 1, "[REDACTED-w-1] (2)": 2}


def test_two_files_that_would_share_a_path_are_refused(tmp_path: Path) -> None:
    redaction = Redaction(rules(tmp_path, "words: [{name: w, words: [one]}]"))
    with pytest.raises(VerificationError, match="two files of the bundle have this path"):
        redaction.payload({"REDACTED-w-1.txt": b"", "one.txt": b""})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("built_in: {emails: false}", "built_in.emails: no such pattern; allowed: age-key, assigned-secret"),
        ("patterns: [{name: a, regex: '('}]", "is no regular expression"),
        ("patterns: [{name: a, regex: 'x*'}]", "matches the empty text"),
        ("patterns: [{name: 'A b', regex: x}]", "patterns.0.name"),
        ("patterns: [{name: email, regex: x}]", "a built-in pattern has this name"),
        ("fields: [{name: a, path: ''}]", "fields.0.path"),
        ("field: []", "unknown key; allowed: built_in, patterns, fields, words"),
        ("words: [{name: a, words: ['']}]", "words.0.words.0"),
    ],
)
def test_a_redaction_file_that_is_not_whole_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said.replace("(", r"\(")):
        rules(tmp_path, text)
