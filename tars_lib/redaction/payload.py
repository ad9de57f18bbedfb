"""A whole bundle: what is in it under which name, before and after, and what an auditor may know about the difference."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from tars_lib.errors import VerificationError
from tars_lib.files.json_records import dumps
from tars_lib.files.reading import sha256_hex
from tars_lib.model.names import Name
from tars_lib.redaction.formats import rewrite, why_not_editable, why_not_searched
from tars_lib.redaction.redactor import Redactor
from tars_lib.redaction.rules import SHORTEST, Rules

REPORT_FILE = "redaction-report.json"
SCHEMA_VERSION = "1.0"
_ENDING = re.compile(r"\.(?:json|jsonl|csv|tsv|parquet|ipynb|html?|md|txt|log|pdf|png|svg|ya?ml|py|ics|zip|sha256)$")


class Treatment(Name):
    """Treatment of a file by redaction. RENDERED: made from redacted data, so that it never held what was removed."""

    UNCHANGED = "UNCHANGED"
    REDACTED = "REDACTED"
    RENDERED = "RENDERED"
    LEFT_OUT = "LEFT_OUT"


@dataclass(frozen=True, slots=True)
class RedactedFile:
    """One file. `original_sha256` and `original_bytes` are null where there is no original; `sha256` where it is left out."""

    path: str
    treatment: Treatment
    reason: str
    original_sha256: str | None
    original_bytes: int | None
    sha256: str | None
    matches: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RuleCount:
    """One rule: replacements, and how many different values they hide."""

    name: str
    kind: str
    source: str
    matches: int
    distinct_values: int


@dataclass(frozen=True, slots=True)
class Unsearched:
    """A file that was made from redacted data and not looked through itself, and what of it could not be read."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class RedactionReport:
    """`redaction-report.json`: counts and digests, never a value.

    `not_searched`: files of the finished bundle in which no rule could look for what is left, wholly or in part.
    """

    schema_version: str
    rules_sha256: str
    rules: tuple[RuleCount, ...]
    files: tuple[RedactedFile, ...]
    not_searched: tuple[Unsearched, ...] = ()

    @property
    def text(self) -> str:
        """As it is written."""
        return dumps(self)


class Redaction:
    """Rules at work over many files: learn first, then redact, then look whether anything is left."""

    def __init__(self, rules: Rules) -> None:
        self.redactor = Redactor(rules)
        # by digest of a redacted file: what it was made from
        self._made: dict[str, tuple[str, int, Counter[str]]] = {}

    def learn(self, files: Mapping[str, bytes]) -> None:
        """Take the values of the named fields, so that they are removed wherever else they stand."""
        fields = self.redactor.rules.fields
        for file in sorted(files) if fields else ():

            def look(text: str, path: str, file: str = file) -> str:
                for rule in fields:
                    is_sought = rule.everywhere and path and len(text.strip()) >= SHORTEST and text not in rule.leave
                    if is_sought and rule.covers(file, path):
                        self.redactor.add_word(rule.name, text)
                return text

            rewrite(file, files[file], look)

    def file(self, path: str, content: bytes) -> bytes | None:
        """Return one file with placeholders; None where it cannot be read as text."""
        before = self.redactor.matches.copy()
        made = rewrite(path, content, lambda text, field: self.value(path, field, text), self.names(path))
        if made is not None and made != content:
            self.note(content, made, self.redactor.matches - before)
        return made

    def value(self, file: str, path: str, text: str) -> str:
        """Return one text with placeholders: whole where a field rule covers its place."""
        if path and text.strip():
            for rule in self.redactor.rules.fields:
                if text not in rule.leave and rule.covers(file, path):
                    return text if _is_placeholder(text) else self.redactor.placeholder(rule.name, text.strip())
        return self.redactor.text(text, _field(path))

    def names(self, file: str) -> Callable[[str], bool]:
        """Return whether a field rule names a place of a file: there numbers go, too."""
        return lambda field: any(rule.covers(file, field) for rule in self.redactor.rules.fields)

    def note(self, original: bytes, made: bytes, matches: Mapping[str, int]) -> None:
        """Remember what a file was made from."""
        self._made[sha256_hex(made)] = (sha256_hex(original), len(original), Counter(matches))

    def matches_of(self, made: bytes) -> Mapping[str, int]:
        """Return what was replaced in a file that `file` or `note` knows; empty for any other."""
        known = self._made.get(sha256_hex(made))
        return {} if known is None else known[2]

    def payload(
        self, files: Mapping[str, bytes], rendered: Collection[str] = ()
    ) -> tuple[dict[str, bytes], RedactionReport]:
        """Redact what goes into a bundle, and account for it.

        Parameters
        ----------
        files : mapping of str to bytes
            Path to content. What `file` made before keeps the digest of what it was made from.
        rendered : collection of str
            Paths that were made from redacted data.

        Returns
        -------
        dict of str to bytes
            Without what cannot be edited.

        Raises
        ------
        VerificationError
            If anything is left that a rule removes, or two files would have one path.
        """
        redacted: dict[str, bytes] = {}
        accounts: list[RedactedFile] = []
        for path in sorted(files):
            stem, ending = _split(path)
            # a placeholder in a path, in letters that every system takes
            stem = self.redactor.text(stem).replace("[REDACTED-", "REDACTED-").replace("]", "")
            content, name = files[path], f"{stem}{ending}"
            is_rendered = path in rendered
            reason = "" if is_rendered else why_not_editable(path, content)
            self.redactor.matches.clear()
            made = None if reason else self.file(path, content)
            if made is None and is_rendered:
                made = content
            if made is None:
                why, size = reason or "not readable as text", len(content)
                accounts.append(RedactedFile(name, Treatment.LEFT_OUT, why, sha256_hex(content), size, None, {}))
                continue
            if name in redacted:
                raise VerificationError(f"{name}: two files of the bundle have this path once it is redacted")
            redacted[name] = made
            accounts.append(self._account(name, content, made, is_rendered=is_rendered))
        left = self.remaining(redacted)
        if left:
            where = "; ".join(f"{path}: {rule}" for path, rule in left[:5])
            raise VerificationError(f"redaction left {len(left)} matches ({where}); nothing was written")
        return redacted, RedactionReport(
            SCHEMA_VERSION, self.redactor.rules.sha256, self._counts(accounts), tuple(accounts)
        )

    def remaining(self, files: Mapping[str, bytes]) -> list[tuple[str, str]]:
        """File and rule of everything that is still there, read from the bytes that are to be written."""
        left: list[tuple[str, str]] = []
        for path in sorted(files):

            def look(text: str, field: str, path: str = path) -> str:
                left.extend((path, span.rule) for span in self.redactor.find(text, _field(field)))
                if field and text.strip() and not _is_placeholder(text):
                    left.extend(
                        (path, rule.name)
                        for rule in self.redactor.rules.fields
                        if text not in rule.leave and rule.covers(path, field)
                    )
                return text

            look(_split(path)[0], "", "a path")
            rewrite(path, files[path], look, self.names(path))
        return left

    def not_searched(self, files: Mapping[str, bytes]) -> tuple[Unsearched, ...]:
        """Return files of a finished bundle that `remaining` cannot read, or not wholly."""
        reasons = ((path, why_not_searched(path, files[path])) for path in sorted(files))
        return tuple(Unsearched(path, reason) for path, reason in reasons if reason)

    def _account(self, name: str, content: bytes, made: bytes, *, is_rendered: bool) -> RedactedFile:
        known = self._made.get(sha256_hex(made))
        if is_rendered:
            counts = {} if known is None else dict(known[2])
            return RedactedFile(name, Treatment.RENDERED, "", None, None, sha256_hex(made), counts)
        if known is None:
            return RedactedFile(name, Treatment.UNCHANGED, "", sha256_hex(made), len(made), sha256_hex(made), {})
        original, size, counts = known
        return RedactedFile(
            name, Treatment.REDACTED, "", original, size, sha256_hex(made), dict(sorted(counts.items()))
        )

    def _counts(self, accounts: list[RedactedFile]) -> tuple[RuleCount, ...]:
        rules = self.redactor.rules
        named = [(pattern.name, "PATTERN", pattern.source) for pattern in rules.patterns]
        named += [(field.name, "FIELD", f"{field.file}: {field.path}") for field in rules.fields]
        named += [(name, "WORD", "redaction file") for name, _ in rules.words]
        totals: Counter[str] = Counter()
        for account in accounts:
            totals.update(account.matches)
        distinct = Counter(
            placeholder.removeprefix("[REDACTED-").rpartition("-")[0]
            for placeholder in self.redactor.placeholders.values()
        )
        return tuple(
            RuleCount(name, kind, source, totals[name], distinct[name])
            for name, kind, source in {entry[0]: entry for entry in named}.values()
        )


def _field(path: str) -> str:
    """Return the last name of a dotted path."""
    return path.rpartition(".")[2]


def _split(path: str) -> tuple[str, str]:
    """Return a path without its ending, which could pass for a domain, and the ending."""
    ending = _ENDING.search(path)
    return (path[: ending.start()], path[ending.start() :]) if ending else (path, "")


def _is_placeholder(text: str) -> bool:
    return text.startswith("[REDACTED-") and text.endswith("]")
