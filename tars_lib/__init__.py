"""T.A.R.S., the incident workbook: engines, playbook, reports.

Everything here is imported when it is first used, so that `import tars_lib` costs nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tars_lib.engines.edges import correlate as correlate
    from tars_lib.engines.edges import lead_lag as lead_lag
    from tars_lib.engines.rootcause import rank_root_causes as rank_root_causes
    from tars_lib.engines.what_if import what_if as what_if
    from tars_lib.errors import ConfigError as ConfigError
    from tars_lib.errors import InputError as InputError
    from tars_lib.errors import TarsError as TarsError
    from tars_lib.org import OrgData as OrgData
    from tars_lib.pipeline import Analysis as Analysis
    from tars_lib.pipeline import Run as Run
    from tars_lib.pipeline import analyze as analyze
    from tars_lib.pipeline import load_run as load_run
    from tars_lib.pipeline import write_run as write_run
    from tars_lib.sources.root import load_org as load_org

__version__ = "0.1.0"

_PUBLIC = {
    "Analysis": "tars_lib.pipeline",
    "ConfigError": "tars_lib.errors",
    "InputError": "tars_lib.errors",
    "OrgData": "tars_lib.org",
    "Run": "tars_lib.pipeline",
    "TarsError": "tars_lib.errors",
    "analyze": "tars_lib.pipeline",
    "load_org": "tars_lib.sources.root",
    "correlate": "tars_lib.engines.edges",
    "lead_lag": "tars_lib.engines.edges",
    "load_run": "tars_lib.pipeline",
    "rank_root_causes": "tars_lib.engines.rootcause",
    "what_if": "tars_lib.engines.what_if",
    "write_run": "tars_lib.pipeline",
    # for %load_ext tars_lib
    "load_ipython_extension": "tars_lib.completion",
}
_GIVES_NAMES = ("load_org", "load_run", "analyze")


if not TYPE_CHECKING:  # a type checker would take any name for one that is there

    def __getattr__(name: str) -> object:
        if name not in _PUBLIC:
            raise AttributeError(f"module 'tars_lib' has no attribute {name!r}")
        if name in _GIVES_NAMES and "IPython" in sys.modules:
            # an organisation is about to be asked in a shell, maybe: names complete with Tab from here on
            import_module("tars_lib.completion").offer_names()
        return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted([*(_PUBLIC.keys() - {"load_ipython_extension"}), "__version__"])
