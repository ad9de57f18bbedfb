"""Description of a bundle for archives and catalogues that index such things: RO-Crate 1.1 metadata in JSON-LD.

The crate is the bag's payload, so its metadata are a payload file as the others are, and the bag's manifest has its digest.
https://www.researchobject.org/ro-crate/specification/1.1/appendix/implementation-notes.html#combining-with-other-packaging-schemes
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from pathlib import PurePosixPath

from tars_lib.evidence.payload import Payload
from tars_lib.files.json_records import dumps
from tars_lib.text.times import SECONDS

CRATE_FILE = "ro-crate-metadata.json"
_SPECIFICATION = "https://w3id.org/ro/crate/1.1"
_TYPES = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".ipynb": "application/x-ipynb+json",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}  # https://www.iana.org/assignments/media-types; that of notebooks is Jupyter's
_FOLDERS = {
    "figures": "figures of the reports, as SVG and PNG",
    "incident": "record and timeline of the incident, each entry bound to the one before by its digest",
    "inputs": "files that the newest run read",
    "reports": "executed notebooks, and the pages made of them",
    "rules": "SLA policies and playbook in force",
    "runs": "run directories as they were sealed",
}
_TOOL = "#tars"


def crate_file(payload: Payload, name: str) -> bytes:
    """Return the metadata of a completed payload; the same payload and name give the same bytes."""
    paths = sorted(path for path in payload.files if path != CRATE_FILE)
    tops = sorted({path.partition("/")[0] for path in paths if "/" in path})
    files = [_file(path, payload.files[path]) for path in paths]
    folders: list[Mapping[str, object]] = [
        {
            "@id": f"{top}/",
            "@type": "Dataset",
            "description": _FOLDERS.get(top, top),
            "hasPart": [{"@id": path} for path in paths if path.startswith(f"{top}/")],
            "name": top,
        }
        for top in tops
    ]
    partial = f" It is partial: {'; '.join(payload.partial)}." if payload.partial else ""
    day = f"{payload.made_at.astimezone(UTC):{SECONDS}}"
    root: Mapping[str, object] = {
        "@id": "./",
        "@type": "Dataset",
        "datePublished": day,
        "description": f"Evidence on {payload.identifier}: what was measured, found, done and written down.{partial}",
        "hasPart": [*({"@id": path} for path in paths if "/" not in path), *({"@id": f"{top}/"} for top in tops)],
        "identifier": payload.identifier,
        "license": {"@id": "#terms"},
        "mentions": {"@id": "#making"},
        "name": name,
    }
    judged = [{"@id": f"{top}/"} for top in tops if top in ("incident", "inputs", "runs")]
    making: Mapping[str, object] = {
        "@id": "#making",
        "@type": "CreateAction",
        "endTime": day,
        "instrument": {"@id": _TOOL},
        "name": "Runs were judged, reported on and packed",
        "object": judged[0] if len(judged) == 1 else judged,
        "result": {"@id": "./"},
    }
    tool = {"@id": _TOOL, "@type": "SoftwareApplication", "name": "T.A.R.S. incident workbook"}
    terms = {
        "@id": "#terms",
        "@type": "CreativeWork",
        "description": "No licence is granted; it is for those to whom it was handed.",
        "name": "Terms",
    }
    descriptor = {
        "@id": CRATE_FILE,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": _SPECIFICATION},
    }
    graph = [descriptor, root, *folders, *files, making, tool, terms]
    return dumps({"@context": f"{_SPECIFICATION}/context", "@graph": graph}).encode()


def _file(path: str, content: bytes) -> Mapping[str, object]:
    form = _TYPES.get(PurePosixPath(path).suffix, "application/octet-stream")
    return {
        "@id": path,
        "@type": "File",
        "contentSize": str(len(content)),
        "encodingFormat": form,
        "name": PurePosixPath(path).name,
    }
