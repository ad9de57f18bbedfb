"""The playbook's name of `tars temporal`."""

from tars_lib.cli.engines.temporal import temporal

if __name__ == "__main__":
    temporal(prog_name="python -m analytics.run_org_temporal_intelligence")
