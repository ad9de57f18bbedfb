"""Parts of the interactive cells: ipywidgets where it is installed, and pictures as a widget shows them."""

from __future__ import annotations

import base64
from html import escape
from types import ModuleType
from typing import Any

from tars_lib.errors import ConfigError
from tars_lib.figures.style.picture import Picture
from tars_lib.figures.style.theme import render_svg
from tars_lib.reports.blocks.kinds import Callout
from tars_lib.text.visible import visible

INSTALL = "pip install 'tars-incident-workbook[lab]'"


def widgets() -> ModuleType:
    """Return the library, loaded when the first widget is made.

    Raises
    ------
    ConfigError
        If it is not installed; the message says how to install it.
    """
    try:
        import ipywidgets
    except ImportError as error:
        raise ConfigError(f"interactive cells need ipywidgets, which is not installed here: {INSTALL}") from error
    module: ModuleType = ipywidgets
    return module


def has_widgets() -> bool:
    """Return whether the library is installed."""
    from importlib.util import find_spec

    return find_spec("ipywidgets") is not None


def missing(what: str) -> Callout:
    """Return what stands in place of a widget where the library is not installed."""
    return Callout(f"{what} needs ipywidgets", f"It is not installed here: {INSTALL}", "info")


def picture_html(picture: Picture) -> str:
    """Return a picture for an HTML widget: sharp at any size, its words beside it as text."""
    data = base64.b64encode(render_svg(picture.figure)).decode("ascii")
    alt, caption = (escape(visible(text)) for text in (picture.alt, picture.words))
    return (
        f'<figure class="tars-picture" style="margin:0"><img alt="{alt}" src="data:image/svg+xml;base64,{data}" '
        f'style="width:100%;max-width:880px;background:white"><figcaption>{caption}</figcaption></figure>'
    )


def message_html(text: str) -> str:
    """Return a sentence in place of a picture."""
    return f'<p role="status" class="tars-message">{escape(visible(text))}</p>'


class Shown:
    """Something that a cell shows by its widget `view`."""

    view: Any

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Any:
        return self.view._repr_mimebundle_(include=include, exclude=exclude)
