"""A figure with the words that belong to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure  # noqa: TC004 - only drawing may load matplotlib


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Picture:
    """What a figure function returns.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
        Made in the theme.
    alt : str
        The finding in words, for those who do not see the figure.
    caption : str
        What the reader should conclude.
    width : {"full", "half"}
        Of the text.
    phone : int
        Columns of panels on a screen as narrow as a phone's; 0: the figure cannot become narrower, the reader scrolls it.
    """

    figure: Figure
    alt: str
    caption: str
    width: Literal["full", "half"] = "full"
    phone: int = 1

    def __repr__(self) -> str:
        return self.caption

    def _repr_png_(self) -> bytes:
        from io import BytesIO

        content = BytesIO()
        self.figure.savefig(content, format="png", dpi=144)
        return content.getvalue()
