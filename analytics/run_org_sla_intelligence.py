"""The playbook's name of `tars sla`."""

from tars_lib.cli.engines.sla import sla
from tars_lib.cli.shared.process import start

if __name__ == "__main__":
    start(sla, "python -m analytics.run_org_sla_intelligence")
