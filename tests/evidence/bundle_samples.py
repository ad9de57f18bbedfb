"""Evidence on disk, and a payload of it that needs no kernel."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tars_lib.evidence.environment import environment
from tars_lib.evidence.incident_part import read_part
from tars_lib.evidence.payload import Payload
from tars_lib.evidence.runs import read_run
from tars_lib.files.json_records import dumps

BEFORE, AFTER = "tars-run-20260105-143000", "tars-run-20260105-170000"
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@dataclass(frozen=True)
class EvidenceFolder:
    """Where an incident and its runs stand."""

    folder: Path
    incidents: Path
    incident: Path
    before: Path
    after: Path


def small_payload(evidence: EvidenceFolder) -> Payload:
    """Incident, one run and environment."""
    packed = read_run(evidence.after, evidence.after.name)
    files = {f"runs/{packed.name}/{name}": content for name, content in packed.files.items()}
    files |= read_part(evidence.incident).files
    files["environment.json"] = dumps(environment()).encode()
    return Payload(files, evidence.incident.name, NOON)


def unzipped(content: bytes) -> dict[str, bytes]:
    """Files of a zip by their path in the bag."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {entry.filename.partition("/")[2]: archive.read(entry) for entry in archive.infolist()}


def unpacked(files: dict[str, bytes], folder: Path) -> Path:
    """The bag as a folder."""
    for name, content in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return folder
