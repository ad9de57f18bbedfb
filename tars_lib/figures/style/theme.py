"""One look for every figure, and its bytes: the same figure gives the same SVG and PNG on every run.

The palette is Okabe and Ito's (https://jfly.uni-koeln.de/color/), safe for the common forms of colour
blindness, in an order whose lightness alternates, so that neighbours stay apart in grey print.
"""

from __future__ import annotations

import functools
import io
import re
import unicodedata
from datetime import UTC
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from tars_lib.text.visible import HIDDEN_CATEGORIES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Read as files: the room of reports is not imported.
FONTS = Path(__file__).parents[2] / "reports" / "fonts"

INK = "#16202c"
MUTED = "#556170"
GRID = "#e3e7ec"

SERIES = ("#0072b2", "#e69f00", "#009e73", "#56b4e9", "#d55e00", "#cc79a7")

# Roles that every figure shares.
BREACH = "#c42b2b"
OBJECTIVE = "#9a1b1b"
INCIDENT_SHADE = "#fbdedd"
PAST_SHADE = "#eef1f4"
CONTEXT = "#a9b3be"
CHANGE = "#4f4379"

# Inches: the width of the text on an A4 page, and of half of it with a gutter (174 mm and 84 mm).
FULL = (6.85, 2.6)
HALF = (3.32, 2.2)

# Pixels per inch of the PNG twin: sharp at twice a screen's 96.
PNG_DPI = 160

RC: Mapping[str, Any] = MappingProxyType(
    {
        # The first travels with this package, the second with matplotlib: the same look on every machine.
        "font.family": ["Inter", "DejaVu Sans"],
        "font.size": 8.2,
        "text.color": INK,
        "axes.titlesize": 9.0,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlepad": 8.0,
        "axes.labelsize": 8.0,
        "axes.labelcolor": MUTED,
        "axes.edgecolor": CONTEXT,
        "axes.linewidth": 0.7,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "grid.color": GRID,
        "grid.linewidth": 0.7,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelsize": 7.5,
        "ytick.labelsize": 7.5,
        "xtick.major.width": 0.7,
        "ytick.major.size": 0.0,
        "lines.linewidth": 1.6,
        "lines.solid_capstyle": "round",
        "legend.frameon": False,
        "legend.fontsize": 7.5,
        "figure.facecolor": "white",
        "figure.figsize": FULL,
        "figure.dpi": 100.0,
        "figure.constrained_layout.use": True,
        "savefig.facecolor": "white",
        # Glyphs become outlines: an SVG in an <img> or in a PDF has no fonts of its own.
        "svg.fonttype": "path",
        "svg.hashsalt": "tars",
        "path.simplify": True,
        # Names come from outside: a dollar sign is a dollar sign, not mathematics.
        "text.parse_math": False,
        "text.usetex": False,
    }
)

_NUMBER = re.compile(rb"-?\d+\.\d{3,}")
_PATH_DATA = re.compile(rb'\b(?:d|points)="[^"]+"')
_PROLOGUE = re.compile(rb"^.*?(?=<svg)", re.DOTALL)
_EMPTY_METADATA = re.compile(rb"\s*<metadata>.*?</metadata>", re.DOTALL)


def themed() -> AbstractContextManager[None]:
    """Return a context in which figures are made and rendered in the theme.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> with themed():
    ...     axes = Figure(figsize=HALF).subplots()
    >>> axes.spines["top"].get_visible()
    False
    """
    import matplotlib as mpl

    _load_fonts()
    settings: Any = dict(RC)
    return mpl.rc_context(settings)


def label(text: str, limit: int = 40) -> str:
    r"""Return a text from outside as a figure shows it.

    Parameters
    ----------
    text : str
        A name, for a title, a tick or an annotation.
    limit : int
        Longest text in characters (judgement: a third of the width); a cut ends with an ellipsis.

    Returns
    -------
    str
        Characters that are hidden or in none of the theme's fonts stand as `[U+202E]`.

    Examples
    --------
    >>> label("a\u202eb"), label("checkout", limit=5)
    ('a[U+202E]b', 'check…')
    """
    cut = text if len(text) <= limit else text[:limit].rstrip() + "…"
    drawable = _load_fonts()
    return "".join(
        char
        if ord(char) in drawable and unicodedata.category(char) not in HIDDEN_CATEGORIES
        else f"[U+{ord(char):04X}]"
        for char in cut
    )


def label_ends(text: str, limit: int = 30) -> str:
    """Return a text from outside with its middle cut out, for names that differ at their ends.

    Examples
    --------
    >>> label_ends("lambda_status_updater_AWS::Lambda::Function", limit=22)
    'lambda_sta…::Function'
    """
    if len(text) <= limit:
        return label(text, limit)
    half = limit // 2 - 1
    return f"{label(text[:half], half)}…{label(text[-half:], half)}"


_BY_DAY = (4.0, 60.0)
"""Spans in days whose ticks are days; judgement, from the intervals of matplotlib's AutoDateLocator."""


def label_times(axes: Axes, ticks: int = 6) -> None:
    """Label a time axis in UTC with at most that many ticks.

    A day has its month with it: the axis has but one text for the month, which is that of its end, so that days before
    the turn of a month would read as days of the next one.
    """
    from matplotlib import dates

    # matplotlib's dates carry no types; two ticks at least and five at most leave no span without a fitting interval
    untyped: Any = dates
    begin, end = axes.get_xlim()
    # ticks by the day of the month stand a day apart, and their labels in each other, at its turn
    is_by_day = _BY_DAY[0] < end - begin < _BY_DAY[1]
    locator = untyped.AutoDateLocator(minticks=2, maxticks=max(ticks, 5), tz=UTC, interval_multiples=not is_by_day)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(
        untyped.ConciseDateFormatter(
            locator,
            tz=UTC,
            formats=["%Y", "%b", "%b-%d", "%H:%M", "%H:%M", "%S.%f"],
            zero_formats=["", "%Y", "%b-%d", "%b-%d", "%H:%M", "%H:%M"],
            offset_formats=["", "%Y", "%Y", "%Y-%b-%d", "%Y-%b-%d", "%Y-%b-%d %H:%M"],
        )
    )


def render(figure: Figure) -> tuple[bytes, bytes]:
    """Draw a figure as SVG and as PNG.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Made within `themed()`; it needs no pyplot and no display.

    Returns
    -------
    tuple of (bytes, bytes)
        SVG with outlined text, no date and no reference to anything outside itself, coordinates to 0.01 pt;
        and PNG at `PNG_DPI`. The same figure gives the same bytes.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    svg, png = render_svg(figure), io.BytesIO()
    # what was laid out for the one fits the other, and laying out takes as long as drawing; `savefig` would draw twice
    layout, dpi = figure.get_layout_engine(), figure.dpi
    figure.set_layout_engine("none")
    with themed():
        figure.dpi = PNG_DPI
        canvas: Any = FigureCanvasAgg(figure)  # its methods carry no types
        canvas.print_png(png, metadata={"Software": None})
    figure.dpi = dpi
    if layout is not None:
        figure.set_layout_engine(layout)
    return svg, png.getvalue()


def render_svg(figure: Figure) -> bytes:
    """Draw a figure as SVG alone, in half the time; see `render`."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    svg, layout, dpi = io.BytesIO(), figure.get_layout_engine(), figure.dpi
    canvas: Any = FigureCanvasSVG(figure)
    with themed():
        # `savefig` draws a figure once more, to nowhere, so that it is laid out
        if layout is not None and figure.axes:
            figure.dpi = canvas.fixed_dpi
            layout.execute(figure)
            figure.dpi = dpi
        figure.set_layout_engine("none")
        canvas.print_svg(svg, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    figure.dpi = dpi
    if layout is not None:
        figure.set_layout_engine(layout)
    return slim(svg.getvalue())


@functools.cache
def _load_fonts() -> frozenset[int]:
    """Make the shipped fonts known to matplotlib, once; return the code points that the theme can draw."""
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    for style in ("Regular", "Bold"):
        font_manager.fontManager.addfont(FONTS / f"Inter-{style}.otf")
    faces = [font_manager.findfont(family, fallback_to_default=False) for family in RC["font.family"]]
    return frozenset().union(*(FT2Font(face).get_charmap() for face in faces))


def slim(svg: bytes) -> bytes:
    """Return an SVG without prologue and empty metadata, its coordinates to 0.01 pt."""
    svg = _PROLOGUE.sub(b"", svg, count=1)
    svg = _EMPTY_METADATA.sub(b"", svg, count=1)
    return _PATH_DATA.sub(lambda data: _NUMBER.sub(_rounded, data.group()), svg)


@functools.lru_cache(maxsize=4096)
def _round_text(number: bytes) -> bytes:
    return f"{float(number):.2f}".rstrip("0").rstrip(".").encode("ascii")


def _rounded(number: re.Match[bytes]) -> bytes:
    return _round_text(number.group())
