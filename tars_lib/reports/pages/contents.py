"""The page that opens a folder of reports: what there is, with links to it, as static as the reports themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tars_lib.errors import ReportError
from tars_lib.reports.blocks.document import Document
from tars_lib.reports.blocks.lengths import TEXT_LIMIT, visible
from tars_lib.reports.pages.html import render_page

if TYPE_CHECKING:
    from tars_lib.reports.blocks.kinds import Block

_INSIDE = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._-]*/)*[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class ContentsEntry:
    """Something in the folder: what it is, and links to its forms as (label, path inside the folder)."""

    about: str
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ContentsGroup:
    """Entries under a heading."""

    heading: str
    entries: Sequence[ContentsEntry]


def render_contents(head: Sequence[Block], groups: Iterable[ContentsGroup], generated_at: datetime) -> str:
    """Render the page as HTML without script that loads nothing; `head`, from its `TitleBlock` on, stands above the links.

    Raises
    ------
    ReportError
        A link leads out of the folder.
    """
    shown = []
    for group in groups:
        for entry in group.entries:
            for _, path in entry.links:
                if not _INSIDE.fullmatch(path) or ".." in path:
                    raise ReportError(
                        f"link {path!r}: letters, digits, dots, dashes and slashes inside the folder are allowed"
                    )
        entries = [{"about": visible(entry.about, TEXT_LIMIT), "links": entry.links} for entry in group.entries]
        shown.append({"heading": group.heading, "entries": entries})
    return render_page("contents.html.j2", Document(tuple(head), generated_at), groups=shown)
