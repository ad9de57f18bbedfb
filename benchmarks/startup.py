"""What `tars --help` costs beside `python -c "import click"`, the library that it is written with.

python benchmarks/startup.py [--runs 15]
"""

from __future__ import annotations

import argparse

from timing import Command, busy, comparison, python, tars, time_in_turns

LIMIT = 1.5
"""Largest ratio that the project allows itself."""


def main() -> None:
    """Time both in turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15, help="runs of each command; default %(default)s")
    runs = parser.parse_args().runs
    bare, yardstick, timed = time_in_turns(
        [
            Command("python -c pass", python("pass")),
            Command('python -c "import click"', python("import click")),
            Command("tars --help", tars("--help")),
        ],
        runs,
    )
    print(f"start-up, {runs} runs of each in turns")
    print(comparison([timed], yardstick, LIMIT))
    print(busy())
    print(f"of which Python itself ({bare.command.label}): {bare.median:.3f} s")


if __name__ == "__main__":
    main()
