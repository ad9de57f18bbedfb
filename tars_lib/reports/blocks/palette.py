"""The colours of the pages, for HTML and PDF alike.

Every pair of ink and ground reaches the contrast of WCAG 2.2 AA, 4.5:1
(https://www.w3.org/TR/WCAG22/#contrast-minimum); a test measures it.
"""

from __future__ import annotations

from dataclasses import dataclass

INK = "#16202c"
MUTED = "#556170"
RULE = "#dfe4ea"
GROUND = "#ffffff"
SHADE = "#f5f7f9"
LINK = "#1d4ea2"


@dataclass(frozen=True)
class ToneColours:
    """Colours of one tone: text on its ground, and the solid colour of bars, dots and edges (sRGB hex)."""

    ink: str
    ground: str
    solid: str


TONES: dict[str, ToneColours] = {
    "critical": ToneColours(ink="#9a1b1b", ground="#fdeceb", solid="#c42b2b"),
    "warning": ToneColours(ink="#854700", ground="#fff2da", solid="#d07a00"),
    "good": ToneColours(ink="#0e5f47", ground="#e2f5ec", solid="#17856a"),
    "info": ToneColours(ink="#1b4a99", ground="#e8f0fc", solid="#2c67c7"),
    "unknown": ToneColours(ink="#4f4379", ground="#efecf8", solid="#7767ad"),
    "neutral": ToneColours(ink="#3b4653", ground="#edf0f3", solid="#7c8896"),
}
