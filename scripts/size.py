"""Print who takes what of an environment: every direct dependency with what it alone brings, and the largest packages.

``python scripts/size.py [EXTRA ...]`` reads the sizes that the packages' own lists of files state, so it needs no second
environment: of the one it runs in it counts what the package and the named extras ask for, and nothing else.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = "tars-incident-workbook"
LARGEST = 15
"""Packages shown one by one."""
MB = 1_000_000


def installed(name: str) -> Distribution | None:
    """Return a package's distribution, or None where it is not installed."""
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def asked_for(name: str, extras: Iterable[str]) -> list[Requirement]:
    """Return what a package asks for on this system, with these extras."""
    found = installed(name)
    texts = [] if found is None else found.requires or []
    asked = [Requirement(text) for text in texts]
    wanted = ["", *extras]
    return [
        requirement
        for requirement in asked
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in wanted)
    ]


def reached(start: Iterable[Requirement]) -> set[str]:
    """Return the canonical names of the packages that requirements bring, those of those included."""
    names: set[str] = set()
    open_ends = [(canonicalize_name(requirement.name), frozenset(requirement.extras)) for requirement in start]
    seen: set[tuple[str, frozenset[str]]] = set()
    while open_ends:
        end = open_ends.pop()
        if end in seen:
            continue
        seen.add(end)
        names.add(end[0])
        open_ends += [(canonicalize_name(more.name), frozenset(more.extras)) for more in asked_for(*end)]
    return names


def size(name: str) -> int:
    """Return the bytes of a package's files, as its record lists them; what Python compiles from them is not listed."""
    found = installed(name)
    record = None if found is None else found.read_text("RECORD")
    return sum(int(row[2]) for row in csv.reader((record or "").splitlines()) if len(row) > 2 and row[2])


def main(extras: list[str]) -> None:
    """Print the table."""
    direct = asked_for(PROJECT, extras)
    everything = reached(direct)
    missing = sorted(name for name in everything if installed(name) is None)
    sizes = {name: size(name) for name in everything}
    total = sum(sizes.values())
    print(f"{len(everything)} packages, {total / MB:.0f} MB, beside this package's own {size(PROJECT) / MB:.1f} MB")
    if missing:
        print(f"not installed, and not counted: {', '.join(missing)}")
    print(
        f"\n{'asked for':<22}{'itself':>8}{'it alone brings':>17}   MB; what others bring as well is in neither column"
    )
    rows = []
    for requirement in direct:
        name = canonicalize_name(requirement.name)
        alone = everything - reached(other for other in direct if canonicalize_name(other.name) != name)
        rows.append((sum(sizes[each] for each in alone), sizes[name], name))
    for alone, own, name in sorted(rows, reverse=True):
        print(f"{name:<22}{own / MB:>8.1f}{alone / MB:>17.1f}")
    print(f"\n{'largest packages':<22}{'MB':>8}")
    for name in sorted(everything, key=lambda each: -sizes[each])[:LARGEST]:
        print(f"{name:<22}{sizes[name] / MB:>8.1f}")


if __name__ == "__main__":
    main(sys.argv[1:])
