"""The playbook's name of `tars health`."""

from tars_lib.cli.engines.health import health

if __name__ == "__main__":
    health(prog_name="python -m analytics.run_org_health")
