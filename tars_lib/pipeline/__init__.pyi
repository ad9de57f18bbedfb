from .layout import (
    CONTEXT_FILE,
    HEALTH_FILE,
    MANIFEST_FILE,
    RUN_PREFIX,
    SLA_FILE,
    STATUS_FILE,
    SUMMARY_FILE,
    Manifest,
    ManifestEntry,
    RunStatus,
    StepStatus,
    latest_run,
    run_name,
)
from .loading import (
    load_org,
)
from .reporting import (
    write_report,
    write_reports,
    write_reports_of,
)
from .run import (
    Run,
    context_type,
    load_run,
)
from .single import (
    Upstream,
    read_upstream,
    run_engine,
)
from .stamping import (
    now,
    stamp,
)
from .steps import (
    Analysis,
    analyze,
)
from .writing import (
    write_run,
)

__all__ = [
    "CONTEXT_FILE",
    "HEALTH_FILE",
    "MANIFEST_FILE",
    "RUN_PREFIX",
    "SLA_FILE",
    "STATUS_FILE",
    "SUMMARY_FILE",
    "Analysis",
    "Manifest",
    "ManifestEntry",
    "Run",
    "RunStatus",
    "StepStatus",
    "Upstream",
    "analyze",
    "context_type",
    "latest_run",
    "load_org",
    "load_run",
    "now",
    "read_upstream",
    "run_engine",
    "run_name",
    "stamp",
    "write_report",
    "write_reports",
    "write_reports_of",
    "write_run",
]
