"""atheris on the targets of `readers.py`: inputs grow towards lines that no input has reached yet.

`python fuzz/guided.py --seconds 10` gives each target that long, in a process of its own; `--runs` bounds the number of
inputs too. An input that breaks a target is printed and kept under `--keep`. Where atheris is not installed (it is built
for Linux alone) it says so and ends with 0.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve()


def fuzz(target: str, arguments: list[str]) -> None:
    """Run one target in this process; libFuzzer ends it."""
    import atheris

    # the rooms that read; more would be slow to instrument and tell nothing
    rooms = [
        "tars_lib.sources",
        "tars_lib.files.reading",
        "tars_lib.files.json_records",
        "tars_lib.config",
        "tars_lib.playbook.config",
        "tars_lib.model",
        "tars_lib.incidents",
        "tars_lib.evidence.verification",
    ]
    with atheris.instrument_imports(include=rooms, enable_loader_override=False):
        import readers

    def once(content: bytes) -> None:
        readers.attempt(target, content)

    atheris.Setup([sys.argv[0], *arguments], once)
    atheris.Fuzz()


def corpus(target: str, folder: Path) -> Path:
    """The sound inputs of a target, to begin from."""
    import readers

    folder.mkdir()
    for number, content in enumerate(readers.sound(target)):
        (folder / str(number)).write_bytes(content)
    return folder


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10, help="for each target")
    parser.add_argument("--runs", type=int, default=20_000, help="inputs for each target at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", action="append")
    parser.add_argument("--keep", type=Path, default=Path("outputs/fuzz"))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given, rest = parser.parse_known_args()
    if given.one is not None:
        fuzz(given.one, rest)
        return 0
    if importlib.util.find_spec("atheris") is None:
        print("guided: atheris is not installed here; it is built for Linux alone")
        return 0
    import readers

    failures = tried = 0
    for target in given.target or readers.TARGETS:
        with tempfile.TemporaryDirectory(prefix="guided-") as made:
            bounds = [f"-max_total_time={given.seconds}", f"-runs={given.runs}", f"-seed={given.seed}", "-max_len=4096"]
            kept = given.keep / re.sub(r"\W+", "-", target)
            command = [sys.executable, str(HERE), "--one", target, *bounds, f"-artifact_prefix={kept}-"]
            given.keep.mkdir(parents=True, exist_ok=True)
            done = subprocess.run(
                [*command, str(corpus(target, Path(made) / "corpus"))],
                capture_output=True, text=True, errors="replace", check=False,
            )  # fmt: skip
        counts = re.findall(r"^#(\d+)", done.stderr, re.MULTILINE)
        tried += int(counts[-1]) if counts else 0
        if done.returncode != 0:
            failures += 1
            print(f"{target}: {done.stderr[-1500:]}")
    print(f"guided: {tried} inputs to {len(given.target or readers.TARGETS)} targets; {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
