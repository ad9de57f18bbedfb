"""The playbook's name of `tars correlation`."""

from tars_lib.cli.engines.correlation import correlation

if __name__ == "__main__":
    correlation(prog_name="python -m analytics.run_org_trend_correlation")
