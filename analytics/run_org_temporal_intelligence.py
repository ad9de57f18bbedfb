"""The playbook's name of `tars temporal`."""

from tars_lib.cli.engines.temporal import temporal
from tars_lib.cli.shared.process import start

if __name__ == "__main__":
    start(temporal, "python -m analytics.run_org_temporal_intelligence")
