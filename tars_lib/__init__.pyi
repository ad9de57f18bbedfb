from .engines.queries.what_if import what_if
from .engines.relations.frames import correlate, lead_lag
from .engines.root_causes.ranking import rank_root_causes
from .engines.sla.explanation import why
from .errors import ConfigError, InputError, TarsError
from .model.organisation import OrgData
from .pipeline import Analysis, Run, analyze, load_org, load_run, write_run

__version__: str
__all__ = [
    "Analysis",
    "ConfigError",
    "InputError",
    "OrgData",
    "Run",
    "TarsError",
    "analyze",
    "correlate",
    "lead_lag",
    "load_org",
    "load_run",
    "rank_root_causes",
    "what_if",
    "why",
    "write_run",
]
