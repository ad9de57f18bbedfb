"""Writes the packaged playbook's module from its YAML file: `python docs/generate_playbook.py`.

Apart from `docs/generate.py`, because it must run while the module that it writes is missing or out of date. A test compares
the committed module with what this makes.
"""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from enum import Enum
from pathlib import Path

from tars_lib.config_playbook import read_playbook

MODULE = Path(__file__).resolve().parents[1] / "tars_lib" / "playbook" / "packaged.py"

_PACKAGED = '''\
"""The packaged playbook as constants, so that engines need no YAML.

Written by `python docs/generate_playbook.py` from `parameters/playbook.yaml`; change the table there.
"""
# ruff: noqa: E501 - sentences are not broken

from __future__ import annotations

from datetime import timedelta

{imports}

PACKAGED = {playbook}
"""What is in force where an organisation brings no playbook of its own."""
'''


def packaged_module() -> str:
    """The module that holds the packaged playbook, formatted as `ruff format` leaves it."""
    names: dict[str, set[str]] = {}
    text = _literal(read_playbook().playbook, 0, names)
    imports = "\n".join(
        f"from {module} import (\n" + "".join(f"    {name},\n" for name in sorted(found)) + ")"
        if len(found) > 5
        else f"from {module} import {', '.join(sorted(found))}"
        for module, found in sorted(names.items())
    )
    return _PACKAGED.format(imports=imports, playbook=text)


def _literal(value: object, depth: int, names: dict[str, set[str]], lead: int = 0) -> str:
    """Python source of rows, tuples and scalars; everything that has parts stands on lines of its own."""
    if isinstance(value, Enum):
        names.setdefault(type(value).__module__, set()).add(type(value).__name__)
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, timedelta):
        return f"timedelta(minutes={round(value.total_seconds() / 60)})"
    if isinstance(value, str):
        quote = "'" if value.count('"') > value.count("'") else '"'
        return quote + value.replace("\\", "\\\\").replace(quote, f"\\{quote}") + quote
    inner, end = "    " * (depth + 1), "    " * depth
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names.setdefault(type(value).__module__, set()).add(type(value).__name__)
        parts = [
            f"{f.name}={_literal(getattr(value, f.name), depth + 1, names, len(f.name) + 1)}"
            for f in dataclasses.fields(value)
        ]
        return f"{type(value).__name__}(\n" + "".join(f"{inner}{part},\n" for part in parts) + f"{end})"
    if isinstance(value, tuple):
        parts = [_literal(part, depth + 1, names) for part in value]
        # one part stays on its line where it fits into 120 characters: "(", part, ",)" and the comma behind
        if len(parts) > 1 or "\n" in "".join(parts) or (parts and len(end) + lead + len(parts[0]) + 4 > 120):
            return "(\n" + "".join(f"{inner}{part},\n" for part in parts) + f"{end})"
        return f"({parts[0]},)" if parts else "()"
    return repr(value)


def main() -> None:
    """Write the module."""
    MODULE.write_text(packaged_module(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
