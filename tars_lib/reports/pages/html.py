"""Blocks as HTML: one page that loads nothing and runs nothing, and the preview in a notebook.

The page carries its style, whose digest is the only one that its Content-Security-Policy admits
(https://www.w3.org/TR/CSP3/), and its figures as data. Every value passes through Jinja's autoescape.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tars_lib.reports.blocks import palette
from tars_lib.reports.blocks.lengths import NAME_LIMIT, breakable, visible
from tars_lib.reports.blocks.view import views

if TYPE_CHECKING:
    import jinja2

    from tars_lib.reports.blocks.document import Document
    from tars_lib.reports.blocks.kinds import Block

TEMPLATES = Path(__file__).parents[1] / "templates"


def render_html(document: Document) -> str:
    """Render a document as one self-contained HTML page.

    Returns
    -------
    str
        A page without scripts that refers to nothing outside itself but the links that its prose holds.
    """
    return render_page("page.html.j2", document)


def render_page(template: str, document: Document, **more: Any) -> str:
    """Render a document with a template for whole pages, and what else that template asks for."""
    style = page_style()
    return (
        environment()
        .get_template(template)
        .render(
            lang=document.lang,
            author=visible(document.author, NAME_LIMIT),
            title=visible(document.head.title, NAME_LIMIT),
            generated=document.generated,
            style=_as_markup(style),
            style_hash=policy_hash(style),
            views=views(document.blocks),
            **more,
        )
    )


def policy_hash(text: str) -> str:
    """Return the digest by which a Content-Security-Policy admits a style or a script."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"


def preview(*blocks: Block) -> str:
    """Render blocks for JupyterLab, escaped and with their own style."""
    page = environment().get_template("preview.html.j2")
    shown = views(blocks)
    for view in shown:
        for figure in view.get("figures", ()):
            # a notebook's output holds the figure three times already
            figure["narrow"] = ""
    return page.render(style=_as_markup(page_style()), views=shown)


@functools.cache
def environment() -> jinja2.Environment:
    """Templates with autoescape; an undefined name is an error."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breaks"] = _breaks
    return environment


@functools.cache
def page_style() -> str:
    """Return the style of every page."""
    text: str = (
        environment()
        .get_template("style.css.j2")
        .render(
            ink=palette.INK,
            muted=palette.MUTED,
            rule=palette.RULE,
            ground=palette.GROUND,
            shade=palette.SHADE,
            link=palette.LINK,
            tones=palette.TONES,
        )
    )
    return text


def _breaks(text: str) -> str:
    """Escape a text, with places to break in long runs; copied text holds none of them."""
    from markupsafe import Markup

    return Markup("<wbr>").join(breakable(text).split("\u200b"))


def _as_markup(style: str) -> str:
    from markupsafe import Markup

    return Markup(style)  # noqa: S704 - the style is made of this package's constants only
