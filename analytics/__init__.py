"""The playbook's commands, `python -m analytics.run_org_...`: a few lines each over `tars_lib`."""
