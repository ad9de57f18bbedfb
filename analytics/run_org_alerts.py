"""The playbook's name of `tars alerts`."""

from tars_lib.cli.engines.alerts import alerts
from tars_lib.cli.shared.process import start

if __name__ == "__main__":
    start(alerts, "python -m analytics.run_org_alerts")
