from .layout import (
    ALERTS_FILE,
    CONTEXT_FILE,
    CORRELATION_FILE,
    HEALTH_FILE,
    MANIFEST_FILE,
    RUN_PREFIX,
    SLA_FILE,
    STATUS_FILE,
    SUMMARY_FILE,
    TEMPORAL_FILE,
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
    IncidentContext,
    Run,
    load_run,
)
from .single import (
    Upstream,
    analyze_alerts,
    analyze_correlation,
    analyze_slas,
    analyze_temporal,
    read_upstream,
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
    "ALERTS_FILE",
    "CONTEXT_FILE",
    "CORRELATION_FILE",
    "HEALTH_FILE",
    "MANIFEST_FILE",
    "RUN_PREFIX",
    "SLA_FILE",
    "STATUS_FILE",
    "SUMMARY_FILE",
    "TEMPORAL_FILE",
    "Analysis",
    "IncidentContext",
    "Manifest",
    "ManifestEntry",
    "Run",
    "RunStatus",
    "StepStatus",
    "Upstream",
    "analyze",
    "analyze_alerts",
    "analyze_correlation",
    "analyze_slas",
    "analyze_temporal",
    "latest_run",
    "load_org",
    "load_run",
    "now",
    "read_upstream",
    "run_name",
    "stamp",
    "write_report",
    "write_reports",
    "write_reports_of",
    "write_run",
]
