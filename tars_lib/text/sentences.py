"""Findings in sentences: what an object answers in a console and in a notebook's cell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape

from tars_lib.text.visible import visible


@dataclass(frozen=True, slots=True, repr=False)
class Told:
    """Sentences, one a line; nothing in them is markup, whatever names they hold.

    Examples
    --------
    >>> Told(("web is healthy.", "Nothing changed."))
    web is healthy.
    Nothing changed.
    """

    sentences: tuple[str, ...]

    @classmethod
    def of(cls, sentences: Iterable[str]) -> Told:
        """Return the sentences that are not empty."""
        return cls(tuple(sentence for sentence in sentences if sentence))

    def __iter__(self) -> Iterator[str]:
        return iter(self.sentences)

    def __len__(self) -> int:
        return len(self.sentences)

    def __str__(self) -> str:
        return "\n".join(visible(sentence) for sentence in self.sentences)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return "".join(f"<p>{escape(visible(sentence))}</p>" for sentence in self.sentences)


class Telling:
    """Mixin of results that tell themselves: sentences in a console in place of all fields, paragraphs in JupyterLab.

    A dataclass that is one says `repr=False`.
    """

    __slots__ = ()

    def told(self) -> Told:
        """Return the object in sentences."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return str(self.told())

    def _repr_html_(self) -> str:
        return self.told()._repr_html_()
