"""Names that try to be more than names, and a small picture."""

from __future__ import annotations

from datetime import UTC, datetime

from tars_lib.figures.style import theme

GENERATED_AT = datetime(2026, 3, 6, 8, 0, tzinfo=UTC)

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "attribute": 'x"onmouseover=alert(1) y',
    "typst": '#read("/etc/passwd")',
    "formula": '=HYPERLINK("http://evil.example")',
    "markup": "*b* _i_ `c` $x$ @ref [l](u) \\n {{ 7 * 7 }} {% raw %}",
    "override": "invoice\u202egpj.exe",
    "long": "n" * 10_000,
    "emoji": "rocket \U0001f680",
}


def picture(title: str = "Latency", size: tuple[float, float] = theme.HALF) -> tuple[bytes, bytes]:
    """Draw a small figure in the theme."""
    from matplotlib.figure import Figure

    with theme.themed():
        figure = Figure(figsize=size)
        axes = figure.subplots()
        axes.plot([0, 1, 2], [0.2, 0.2, 1.1])
        axes.set_title(theme.label(title))
    return theme.render(figure)
