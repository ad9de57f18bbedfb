"""Is every byte of a bundle checked? Each byte of a small bundle is changed in turn; ours has to say so and name a file.

Usage: python fuzz/bundle_bytes.py [--seed 1]
"""

from __future__ import annotations

import argparse
import random
import sys
from datetime import UTC, datetime

from tars_lib.evidence.sealing.bag import pack
from tars_lib.evidence.verification import verify_bytes

FILES = {"run/status.json": b"{}\n", "report/page.html": b"<p>One page</p>\n", "empty.txt": b""}


def unseen(content: bytes, seed: int) -> list[int]:
    """Places of the bytes whose change is not found, or found without a file's name."""
    rng = random.Random(seed)  # noqa: S311 - other values, not secrets
    missed = []
    for place, byte in enumerate(content):
        changed = bytearray(content)
        changed[place] = byte ^ rng.randrange(1, 256)
        faults = verify_bytes(bytes(changed)).faults
        if not any(fault.path or fault.why for fault in faults):
            missed.append(place)
    return missed


def main() -> int:
    """Print how many bytes were changed, and which changes nobody saw; 1 if there are any."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seed", type=int, default=1, help="of the other values")
    content = pack("small", FILES, {}, datetime(2026, 1, 5, tzinfo=UTC))
    if verify_bytes(content).faults:
        print("the bundle itself is not accepted")
        return 1
    missed = unseen(content, options.parse_args().seed)
    print(f"{len(content):,} single-byte changes of a bundle: {len(content) - len(missed):,} found, {len(missed)} not")
    for place in missed:
        print(f"  byte {place}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
