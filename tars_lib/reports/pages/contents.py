"""The page that opens a folder of reports: what there is, with links to it, as static as the reports themselves."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tars_lib.errors import ReportError
from tars_lib.reports.blocks.document import DEFAULT_AUTHOR
from tars_lib.reports.blocks.lengths import NAME_LIMIT, TEXT_LIMIT, visible
from tars_lib.reports.blocks.view import views
from tars_lib.reports.pages.html import environment, page_style
from tars_lib.text.times import MINUTES

if TYPE_CHECKING:
    from tars_lib.reports.blocks.kinds import Block, TitleBlock

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
    """Render the page.

    Parameters
    ----------
    head : sequence of Block
        What stands above the links; the first is a `TitleBlock`.
    groups : iterable of ContentsGroup
    generated_at : datetime
        Aware.

    Returns
    -------
    str
        HTML without script that loads nothing.

    Raises
    ------
    ReportError
        A link leads out of the folder.
    """
    from markupsafe import Markup

    shown = []
    for group in groups:
        for entry in group.entries:
            for _, path in entry.links:
                if not _INSIDE.fullmatch(path) or ".." in path:
                    raise ReportError(
                        f"link {path!r}: letters, digits, dots, dashes and slashes inside the folder are allowed"
                    )
        entries = [{"about": visible(one.about, TEXT_LIMIT), "links": one.links} for one in group.entries]
        shown.append({"heading": group.heading, "entries": entries})
    style = page_style()
    title: TitleBlock = head[0]  # type: ignore[assignment]
    return (
        environment()
        .get_template("contents.html.j2")
        .render(
            lang="en",
            author=DEFAULT_AUTHOR,
            title=visible(title.title, NAME_LIMIT),
            generated=f"{generated_at.astimezone(UTC):{MINUTES}}",
            style=Markup(style),  # noqa: S704 - the style is made of this package's constants only
            style_hash=f"sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode('ascii')}",
            views=views(head),
            groups=shown,
        )
    )
