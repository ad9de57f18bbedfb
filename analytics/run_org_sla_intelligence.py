"""The playbook's name of `tars sla`."""

from tars_lib.cli.engines.sla import sla

if __name__ == "__main__":
    sla(prog_name="python -m analytics.run_org_sla_intelligence")
