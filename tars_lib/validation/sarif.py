"""A validation as SARIF 2.1.0, which code hosts show beside the lines.

References
----------
https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tars_lib.text.visible import visible
from tars_lib.validation.notices import KINDS, Notice, Validation

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MAX_RESULTS = 5_000
"""Results of a run that GitHub takes, https://docs.github.com/en/code-security/code-scanning (limits)."""
_BASE = "%SRCROOT%"


def sarif(validation: Validation, version: str, folder: Path) -> str:
    """Return a validation as a SARIF log.

    Parameters
    ----------
    validation : Validation
    version : str
        Of this package.
    folder : Path
        That paths are relative to: the current one, which a build runs in.
    """
    rules = [
        {
            "id": f"tars/{kind}",
            "name": kind,
            "shortDescription": {"text": said},
            "defaultConfiguration": {"level": "warning" if kind == "warning" else "error"},
        }
        for kind, said in KINDS.items()
    ]
    shown = validation.notices[:MAX_RESULTS]
    run: dict[str, Any] = {
        "tool": {"driver": {"name": "tars-validate", "version": version, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(notice, validation.root, folder) for notice in shown],
    }
    if len(shown) < len(validation.notices):
        run["properties"] = {"leftOut": len(validation.notices) - len(shown)}
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, ensure_ascii=False) + "\n"


def _result(notice: Notice, root: str, folder: Path) -> dict[str, Any]:
    path = Path(root) if notice.path is None else notice.path
    return {
        "ruleId": f"tars/{notice.kind}",
        "ruleIndex": list(KINDS).index(notice.kind),
        "level": notice.level,
        "message": {"text": visible(notice.message)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": _artifact(path, folder),
                    # what is about a file or a root as a whole is shown at its begin
                    "region": {"startLine": notice.row or 1, "startColumn": notice.column or 1},
                }
            }
        ],
    }


def _artifact(path: Path, folder: Path) -> dict[str, str]:
    whole = path.absolute()
    if whole.is_relative_to(folder.absolute()):
        return {"uri": quote(whole.relative_to(folder.absolute()).as_posix()), "uriBaseId": _BASE}
    return {"uri": whole.as_uri()}
