"""What does `tars bundle verify` say after a bundle was handled, honestly or not? Prints the table of docs/evidence.md.

Usage: python fuzz/bundle_handling.py [--seed 1] [--number 200]
"""

from __future__ import annotations

import argparse
import base64
import gzip
import io
import random
import sys
import tarfile
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from tars_lib.errors import InputError
from tars_lib.evidence.sealing.bag import pack
from tars_lib.evidence.verification import Verification, verify, verify_bytes

PAYLOAD = {
    "runs/status.json": b'{\n  "exit_code": 142\n}\n',
    "reports/page.html": b"<p>One\npage</p>\n",
    "figures/a.png": bytes(range(256)) * 8,
    "inputs.json": b"[]\n",
    "empty.txt": b"",
}
NAME = "evidence"
Files = Mapping[str, bytes]
Honest = Callable[[bytes, Files], bytes | dict[str, bytes]]


def unzip(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def zipped(files: Files, method: int = zipfile.ZIP_STORED, *, folders: bool = False, comment: bytes = b"") -> bytes:
    sink = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(sink, "w", method) as archive:
        warnings.simplefilter("ignore")
        archive.comment = comment
        seen: set[str] = set()
        for name, content in files.items():
            for depth in range(1, name.count("/") + 1) if folders else ():
                folder = "/".join(name.split("/")[:depth]) + "/"
                if folder not in seen:
                    seen.add(folder)
                    archive.writestr(zipfile.ZipInfo(folder, (2026, 1, 5, 12, 0, 0)), b"")
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 5, 12, 0, 0)), content, method)
    return sink.getvalue()


def streamed(files: Files) -> bytes:
    """A zip whose sizes follow the contents, as a tool writes that cannot go back."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: object) -> int:
            raise io.UnsupportedOperation

        def tell(self) -> int:
            raise io.UnsupportedOperation

    sink = Pipe()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return sink.getvalue()


def tarred(files: Files, mode: str) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode=mode) as archive:
        for name, content in files.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))
    return sink.getvalue()


def widened(files: Files) -> bytes:
    """A zip of a tool that writes sizes of 64 bits, and so has extra fields in its local headers alone."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, content in files.items():
            with archive.open(zipfile.ZipInfo(name, (2026, 1, 5, 12, 0, 0)), "w", force_zip64=True) as file:
                file.write(content)
    return sink.getvalue()


def cut(content: bytes, share: float) -> bytes:
    return content[: int(len(content) * share)]


def flat(files: Files) -> dict[str, bytes]:
    return {name.partition("/")[2]: content for name, content in files.items()}


def under(files: Files, folder: str) -> dict[str, bytes]:
    return {f"{folder}/{name}": content for name, content in files.items()}


def crlf(files: Files) -> dict[str, bytes]:
    return {
        name: content if name.endswith(".png") else content.replace(b"\n", b"\r\n") for name, content in files.items()
    }


def littered(files: Files, *names: str) -> dict[str, bytes]:
    return {**files, **dict.fromkeys(names, b"litter")}


HONEST: dict[str, tuple[str, Honest]] = {
    "left as it is": ("intact", lambda zip_, files: zip_),
    "zip -r, stored": ("intact", lambda zip_, files: zipped(files, folders=True)),
    "zip -r, deflated": ("intact", lambda zip_, files: zipped(files, zipfile.ZIP_DEFLATED, folders=True)),
    "zip -D, deflated": ("intact", lambda zip_, files: zipped(files, zipfile.ZIP_DEFLATED)),
    "zip with bzip2": ("intact", lambda zip_, files: zipped(files, zipfile.ZIP_BZIP2)),
    "zip with LZMA": ("intact", lambda zip_, files: zipped(files, zipfile.ZIP_LZMA)),
    "zip from a pipe": ("intact", lambda zip_, files: streamed(files)),
    "zip with a comment": ("intact", lambda zip_, files: zipped(files, comment=b"from the mail gateway")),
    "zip in another order": ("intact", lambda zip_, files: zipped(dict(reversed(files.items())))),
    "zip without the folder": ("intact", lambda zip_, files: zipped(flat(files), zipfile.ZIP_DEFLATED)),
    "zip of a renamed folder": ("intact", lambda zip_, files: zipped(under(flat(files), "evidence (1)"))),
    "zip within a folder": ("intact", lambda zip_, files: zipped(under(files, "Downloads"), zipfile.ZIP_DEFLATED)),
    "zip with ./ names": ("intact", lambda zip_, files: zipped(under(files, "."))),
    "zip of a folder with accents": ("intact", lambda zip_, files: zipped(under(files, "E\u0301vidence"))),
    "Finder: __MACOSX": (
        "intact",
        lambda zip_, files: zipped(littered(files, "__MACOSX/._evidence", "evidence/.DS_Store")),
    ),
    "Explorer: Thumbs.db": (
        "intact",
        lambda zip_, files: zipped(littered(files, "evidence/data/Thumbs.db", "evidence/desktop.ini")),
    ),
    "zip with 64-bit sizes": ("intact", lambda zip_, files: widened(files)),
    "zip with backslashes": (
        "intact",
        lambda zip_, files: zipped({name.replace("/", "\\"): content for name, content in files.items()}),
    ),
    "tar": ("intact", lambda zip_, files: tarred(files, "w")),
    "tar.gz": ("intact", lambda zip_, files: tarred(files, "w:gz")),
    "tar.bz2": ("intact", lambda zip_, files: tarred(files, "w:bz2")),
    "tar.xz": ("intact", lambda zip_, files: tarred(files, "w:xz")),
    "tar.gz without the folder": ("intact", lambda zip_, files: tarred(flat(files), "w:gz")),
    "unpacked": ("intact", lambda zip_, files: flat(files)),
    "unpacked one folder up": ("intact", lambda zip_, files: dict(files)),
    "unpacked under another name": ("intact", lambda zip_, files: under(flat(files), "evidence 2")),
    "unpacked, .DS_Store": ("intact", lambda zip_, files: littered(flat(files), ".DS_Store", "data/.DS_Store")),
    "unpacked, ._ files": ("intact", lambda zip_, files: littered(flat(files), "data/._inputs.json")),
    "unpacked, macOS volume": (
        "intact",
        lambda zip_, files: littered(flat(files), ".Spotlight-V100/a", ".Trashes/b", ".fseventsd/c", "Icon\r"),
    ),
    "unpacked, Windows drive": (
        "intact",
        lambda zip_, files: littered(
            flat(files), "$RECYCLE.BIN/a", "System Volume Information/b", "data/inputs.json:Zone.Identifier"
        ),
    ),
    "unpacked, network folder": (
        "intact",
        lambda zip_, files: littered(flat(files), "data/@eaDir/inputs.json@Syno", ".nfs0000000a", ".dropbox"),
    ),
    "unpacked, open in an office": (
        "intact",
        lambda zip_, files: littered(flat(files), "data/.~lock.empty.txt#", "data/~$empty.txt"),
    ),
    "unpacked in capitals": (
        "not tell capitals apart",
        lambda zip_, files: {name.upper(): content for name, content in flat(files).items()},
    ),
    "unpacked with CRLF": ("line endings", lambda zip_, files: crlf(flat(files))),
    "zip with CRLF": ("line endings", lambda zip_, files: zipped(crlf(files), zipfile.ZIP_DEFLATED)),
    "half a download": ("cut short", lambda zip_, files: cut(zip_, 0.5)),
    "nine tenths of a download": ("cut short", lambda zip_, files: cut(zip_, 0.9)),
    "all but the last byte": ("cut short", lambda zip_, files: zip_[:-1]),
    "half, filled up with zeros": ("cut short", lambda zip_, files: cut(zip_, 0.5).ljust(len(zip_), b"\0")),
    "half of a tar": ("cut short", lambda zip_, files: cut(tarred(files, "w"), 0.5)),
    "half of a deflated zip": ("cut short", lambda zip_, files: cut(zipped(files, zipfile.ZIP_DEFLATED), 0.5)),
    "nine tenths of a tar.gz": ("cut short", lambda zip_, files: cut(tarred(files, "w:gz"), 0.9)),
    "zip transferred as text": ("transferred as text", lambda zip_, files: zip_.replace(b"\n", b"\r\n")),
    "zip in a zip": ("not read", lambda zip_, files: zipped({"evidence.zip": zip_})),
    "in base64, from a mail": ("not read", lambda zip_, files: base64.encodebytes(zip_)),
    "wrapped in gzip": ("not read", lambda zip_, files: gzip.compress(zip_)),
}


def look(handled: bytes | dict[str, bytes]) -> Verification | None:
    """What verify says of it; None where it refuses to read it."""
    try:
        if isinstance(handled, bytes):
            return verify_bytes(handled)
        with tempfile.TemporaryDirectory() as folder:
            for name, content in handled.items():
                (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                (Path(folder) / name).write_bytes(content)
            return verify(Path(folder))
    except InputError:
        return None


def is_right(expected: str, seen: Verification | None) -> bool:
    """Whether content and cause are told as they are."""
    if seen is None:
        return expected == "not read"
    if expected == "intact":
        return seen.content_is_intact and not any("MISSING" in fault.what for fault in seen.faults)
    text = " ".join((seen.container.value, *seen.causes))
    return not seen.content_is_intact and expected in text


def dishonest(files: Files, number: int, seed: int) -> Iterator[tuple[str, str, bytes | dict[str, bytes]]]:
    """Changes of the content in every container: what was done, the file that has to be named, the result."""
    rng = random.Random(seed)  # noqa: S311 - places, not secrets
    packers: tuple[Callable[[Files], bytes | dict[str, bytes]], ...] = (
        zipped,
        lambda files: zipped(files, zipfile.ZIP_DEFLATED, folders=True),
        lambda files: tarred(files, "w:gz"),
        flat,
    )
    names = sorted(files)
    for turn in range(number):
        changed, name = dict(files), rng.choice(names)
        what = ("byte changed", "deleted", "added", "swapped", "program added")[turn % 5]
        if what == "byte changed":
            name = rng.choice([path for path in names if files[path]])
            content = bytearray(files[name])
            content[rng.randrange(len(content))] ^= rng.randrange(1, 256)
            changed[name] = bytes(content)
        elif what == "deleted":
            del changed[name]
        elif what == "swapped":
            other = rng.choice([path for path in names if files[path] != files[name]])
            changed[name], changed[other] = changed[other], changed[name]
        else:
            name = f"{NAME}/data/{'numpy.py' if what == 'program added' else f'new-{turn}.txt'}"
            changed[name] = b"x"
        yield what, name.partition("/")[2], rng.choice(packers)(changed)


def main() -> int:
    """Print both tables; 1 if anything is told wrongly."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--number", type=int, default=200, help="dishonest ways")
    given = options.parse_args()
    bundle = pack(NAME, PAYLOAD, {}, datetime(2026, 1, 5, tzinfo=UTC))
    files = unzip(bundle)
    print("| handled honestly | content | container | told as it is |\n|---|---|---|---|")
    wrong = 0
    for way, (expected, handle) in HONEST.items():
        seen = look(handle(bundle, files))
        right = is_right(expected, seen)
        wrong += not right
        content = "-" if seen is None else "intact" if not seen.content_faults else "not intact"
        print(
            f"| {way} | {content} | {'not read' if seen is None else seen.container.value} | {'yes' if right else 'NO'} |"
        )
    missed: list[str] = []
    for what, name, spoiled in dishonest(files, given.number, given.seed):
        seen = look(spoiled)
        told = (
            seen is not None and not seen.content_is_intact and any(name == fault.path for fault in seen.content_faults)
        )
        missed += [] if told else [f"{what}: {name}"]
    print(f"\n{len(HONEST)} honest ways: {len(HONEST) - wrong} told as they are")
    print(f"{given.number} dishonest ones: {given.number - len(missed)} found, with the file named")
    for line in missed:
        print(f"  {line}")
    return 1 if wrong or missed else 0


if __name__ == "__main__":
    sys.exit(main())
