"""A figure with the words that belong to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure  # noqa: TC004 - only drawing may load matplotlib


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Picture:
    """Result of a figure function.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
        Made in the theme.
    alt : str
        The finding in words, for those who do not see the figure.
    title : str
        What the reader should conclude; stands above the figure.
    caption : str
        How to read it: what marks and shades mean, what is left out; stands below, may be empty.
    width : {"full", "half"}
        Of the text.
    phone : int
        Columns of panels on a screen as narrow as a phone's; 0: the figure cannot become narrower, the reader scrolls it.
    """

    figure: Figure
    alt: str
    title: str = ""
    caption: str = ""
    width: Literal["full", "half"] = "full"
    phone: int = 1

    def __repr__(self) -> str:
        return self.words

    def _repr_png_(self) -> bytes:
        from io import BytesIO

        content = BytesIO()
        self.figure.savefig(content, format="png", dpi=144)
        return content.getvalue()

    @property
    def words(self) -> str:
        """Title and caption in a row."""
        return ". ".join(part for part in (self.title, self.caption) if part)
