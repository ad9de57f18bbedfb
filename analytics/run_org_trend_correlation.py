"""The playbook's name of `tars correlation`."""

from tars_lib.cli.engines.correlation import correlation
from tars_lib.cli.shared.process import start

if __name__ == "__main__":
    start(correlation, "python -m analytics.run_org_trend_correlation")
