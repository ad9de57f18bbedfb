"""What a reader sees is what is there."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tars_lib.reports.blocks.lengths import HIDDEN_CATEGORIES, breakable, visible
from tars_lib.reports.blocks.palette import GROUND, INK, LINK, MUTED, SHADE, TONES
from tars_lib.reports.blocks.view import format_number, format_share
from tars_lib.reports.pages.glyphs import FONTS, drawable


@pytest.mark.parametrize(
    "point", [0x0, 0x1B, 0x7F, 0xAD, 0x200B, 0x200F, 0x202E, 0x2066, 0x2028, 0xFEFF, 0xE0041, 0xE000]
)
def test_hidden_characters_are_printed_as_their_number(point: int) -> None:
    assert visible(f"a{chr(point)}b") == f"a[U+{point:04X}]b"


def test_line_ends_and_tabs_become_spaces() -> None:
    assert visible("a\tb\nc\r\nd") == "a b c  d"


@given(st.text())
def test_nothing_hidden_and_nothing_undrawable_remains(text: str) -> None:
    result = visible(text, drawable=drawable())
    assert not HIDDEN_CATEGORIES & {unicodedata.category(char) for char in result}
    assert {ord(char) for char in result} <= drawable()


@given(st.text(st.characters(categories=["Lu", "Ll", "Nd", "Po", "Sm"]), max_size=50))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_a_cut_shows_that_it_is_one() -> None:
    assert visible("n" * 10_000, limit=10) == "n" * 10 + "… (10,000 characters)"
    assert visible("n" * 10, limit=10) == "n" * 10


@given(st.text(st.characters(categories=["L", "Nd", "Po", "Zs"])))
def test_places_to_break_add_nothing_else(text: str) -> None:
    assert breakable(text).replace("\u200b", "") == text


def test_long_names_break_soon_enough_for_a_narrow_column() -> None:
    assert max(map(len, breakable("n" * 240).split("\u200b"))) <= 12


def test_the_shipped_fonts_draw_what_reports_need() -> None:
    needed = "äőŽßøłęΑωЖяѓ→←↑↓≥≤—≈±…·✓€µ²₂“”°•\u00d7\u2013\u2212\u2018\u2019"
    assert [char for char in needed if ord(char) not in drawable()] == []
    assert 0x1F680 not in drawable()


def test_the_coverage_list_is_that_of_the_fonts() -> None:
    from fontTools.ttLib import TTFont

    faces = {}
    for path in FONTS.glob("*.[ot]tf"):
        with TTFont(path) as font:
            faces[path.name] = set(font.getBestCmap())
    assert len(faces) == 5
    text = set.intersection(*(points for name, points in faces.items() if name.startswith("Inter")))
    printable = {point for point in text | faces["NotoSansMono-Regular.ttf"] if not (point < 32 or 127 <= point < 160)}
    assert drawable() == printable


def test_fonts_travel_with_their_licence_and_stay_small() -> None:
    licences = [path.read_text(encoding="utf-8") for path in FONTS.glob("OFL*.txt")]
    for font in FONTS.glob("*.[ot]tf"):
        assert any(font.name in licence and "SIL OPEN FONT LICENSE" in licence for licence in licences)
    assert sum(path.stat().st_size for path in FONTS.iterdir()) < 4_000_000


def contrast(ink: str, ground: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(part, 16) / 255 for part in re.findall("..", colour[1:])]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(ink), luminance(ground)))
    return (high + 0.05) / (low + 0.05)


def test_the_contrast_measure_knows_its_ends() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_every_text_reaches_wcag_aa() -> None:
    pairs = [(tone.ink, tone.ground) for tone in TONES.values()]
    pairs += [(MUTED, tone.ground) for tone in TONES.values()]
    pairs += [(INK, GROUND), (MUTED, GROUND), (LINK, GROUND), (MUTED, SHADE)]
    assert [pair for pair in pairs if contrast(*pair) < 4.5] == []


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(0, None, "0"), (0.12345, None, "0.123"), (12345.6, None, "12,346"), (-0.5, None, "\u22120.5"), (2, 2, "2.00")],
)
def test_numbers_are_rounded_for_the_reader(value: float, decimals: int | None, text: str) -> None:
    assert format_number(value, decimals) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0%"), (0.001, "< 1%"), (0.5, "50%"), (0.999, "> 99%"), (1, "100%"), (1.37, "137%")]
)
def test_a_share_is_never_rounded_to_none_or_all(value: float, text: str) -> None:
    assert format_share(value) == text
