"""The playbook's name of `tars health`."""

from tars_lib.cli.engines.health import health
from tars_lib.cli.shared.process import start

if __name__ == "__main__":
    start(health, "python -m analytics.run_org_health")
