"""Display of a block in a notebook: HTML in JupyterLab and text in a console, beside the JSON that exporters read."""

from __future__ import annotations

from tars_lib.reports.blocks.kinds import Block
from tars_lib.reports.blocks.plain_text import plain_text
from tars_lib.reports.pages.html import preview


def rich_forms(block: Block) -> dict[str, str]:
    """Return the block as `text/html` and `text/plain`."""
    return {"text/html": preview(block), "text/plain": plain_text(block)}


Block.rich_forms = rich_forms
