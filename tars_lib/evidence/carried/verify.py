"""Compare this folder with its manifests. Python 3.8 or later and nothing else: python3 verify.py [FOLDER].

It says what is altered, missing or added, and ends with 1 if anything is, with 0 if nothing is. Whoever alters the evidence
can alter this file as well: take it from a source that you trust, or use `tars bundle verify`, a BagIt tool, or
`sha256sum -c manifest-sha256.txt`. WHAT_THIS_PROVES.md says what an intact folder proves.
"""

import hashlib
import re
import sys
from pathlib import Path

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
PAYLOAD, TAGS = "manifest-sha256.txt", "tagmanifest-sha256.txt"
LINE = re.compile(r"([0-9a-f]{64})  ((?:[A-Za-z0-9_][A-Za-z0-9._-]*/)*[A-Za-z0-9_][A-Za-z0-9._-]*)")


def listed(folder, name, faults):
    """Digest of each path that a manifest lists."""
    digests = {}
    if not (folder / name).is_file():
        return digests
    rows = (folder / name).read_bytes().decode("latin-1").split("\n")
    if rows.pop():
        faults.append("MALFORMED: %s: no line feed at the end" % name)
    for number, row in enumerate(rows, 1):
        match = LINE.fullmatch(row)
        if not match or match[2].startswith("data/") != (name == PAYLOAD) or match[2] in digests or match[2] == TAGS:
            faults.append("MALFORMED: %s: row %d" % (name, number))
        else:
            digests[match[2]] = match[1]
    return digests


def check(folder):
    """Sentences on what is wrong; none if nothing is."""
    faults, there = [], set()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            faults.append("UNLISTED: %s: a link or a device" % name)
        elif path.is_file():
            there.add(name)
    expected = dict(listed(folder, PAYLOAD, faults))
    expected.update(listed(folder, TAGS, faults))
    needed = {"bagit.txt", "bag-info.txt", "verify.py", "WHAT_THIS_PROVES.md", PAYLOAD, TAGS, *expected}
    faults += ["MISSING: %s" % name for name in sorted(needed - there)]
    for name in sorted(there & set(expected)):
        digest = hashlib.sha256()
        with (folder / name).open("rb") as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                digest.update(block)
        if digest.hexdigest() != expected[name]:
            faults.append("ALTERED: %s, or its line in a manifest" % name)
    faults += ["UNLISTED: %s" % name for name in sorted(there - set(expected) - {TAGS})]
    if "bagit.txt" in there and (folder / "bagit.txt").read_bytes() != DECLARATION:
        faults.append("ALTERED: bagit.txt")
    return faults


def main():
    """Print what is wrong, or that nothing is."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    faults = check(folder)
    for fault in faults:
        print(fault.encode("ascii", "backslashreplace").decode())
    if not faults:
        print("intact: every file is what the manifests say, and there is no other")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
