"""Characters that the fonts that travel with the package can draw.

`fonts/coverage.txt` lists the code points that every shipped style of the text face, or the fallback face,
holds: one range a line in hexadecimal. A test compares it with the fonts themselves.
"""

from __future__ import annotations

import functools
from pathlib import Path

FONTS = Path(__file__).parents[1] / "fonts"

# In the order in which Typst looks for a glyph.
TEXT_FAMILY = "Inter"
MONO_FAMILY = "Noto Sans Mono"


@functools.cache
def drawable() -> frozenset[int]:
    """Return the code points that the shipped fonts draw.

    Examples
    --------
    >>> all(ord(char) in drawable() for char in "AzÄčΩЖ→≥≤€")
    True
    >>> 0x1F680 in drawable()
    False
    """
    points: set[int] = set()
    for line in (FONTS / "coverage.txt").read_text(encoding="ascii").splitlines():
        first, _, last = line.partition("-")
        points.update(range(int(first, 16), int(last or first, 16) + 1))
    return frozenset(points)
