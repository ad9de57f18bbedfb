"""The playbook's name of `tars alerts`."""

from tars_lib.cli.engines.alerts import alerts

if __name__ == "__main__":
    alerts(prog_name="python -m analytics.run_org_alerts")
