"""Content of a bundle beside the evidence itself: pages and pictures made from it, and the index.

It works on a payload alone. Whoever changes one first, such as by taking secrets out of the notebooks, gets pages and
pictures of what is left.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from tars_lib.evidence.compliance import index_files
from tars_lib.evidence.payload import Payload
from tars_lib.files.json_records import dumps


def complete(payload: Payload) -> Payload:
    """Add HTML, PDF and figures of every executed notebook, and the compliance index.

    Raise ReportError if a notebook failed or holds something that is no block.
    """
    from tars_lib.reports.pages.finished import figure_blocks, mark_partial, render
    from tars_lib.reports.pages.partial import cover

    made: dict[str, bytes] = {}
    captions: list[dict[str, str]] = []
    for path in [path for path in payload.below("reports") if path.endswith(".ipynb")]:
        page = PurePosixPath(path)
        notebook = payload.files[path]
        if payload.partial:
            notebook = made[path] = mark_partial(notebook, payload.partial)
        for form, content in render(notebook, ("html", "pdf")).items():
            made[str(page.with_suffix(f".{form}"))] = content
        for number, figure in enumerate(figure_blocks(notebook), 1):
            stem = f"figures/{page.parent.name}/{page.stem}-{number:02d}"
            made |= {f"{stem}.svg": figure.svg, f"{stem}.png": figure.png}
            captions.append(
                {
                    "file": f"{stem}.svg",
                    "alt": figure.alt,
                    "caption": ". ".join(filter(None, (figure.title, figure.caption))),
                    "notebook": path,
                }
            )
    if captions:
        made["figures/captions.json"] = dumps(captions).encode()
    for run in payload.runs:
        # where no report could be made, a page says what is wrong
        if not payload.below(f"reports/{run}"):
            pages = cover(run, payload.partial, payload.made_at)
            made |= {f"reports/{run}/partial.{form}": content for form, content in pages.items()}
    whole = payload.with_files(made)
    return whole.with_files(index_files(whole))
