"""Lookup of what parameters name, before a kernel starts, with the refusals of the notebooks themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from tars_lib.workbook.parameters.checks import incident_id


def check_given(values: Mapping[str, object], known: Collection[str], run_dir: Path) -> None:
    """Refuse a repo, a cluster, runs, an incident or a register that is not there.

    Parameters
    ----------
    values : mapping
        Parameters of one notebook, without those that keep their default.
    known : collection of str
        Names of all that it takes.
    run_dir : Path
        The run that it tells.

    Raises
    ------
    InputError, ConfigError, VerificationError
        As in the notebook; the message names the parameter, the value and what is allowed.
    """
    if "incident_id" in values:
        incident_id(values["incident_id"])
    if {"incident_id", "incidents_dir", "as_of"} & values.keys():
        from tars_lib.workbook.parameters.register import check

        check(values, known, run_dir)
    repo, cluster, runs = (values.get(name, "") for name in ("repo", "cluster_id", "runs"))
    if not (repo or cluster or runs):
        return
    from tars_lib.pipeline import load_run
    from tars_lib.workbook.pages.correlation_investigation import narrowed
    from tars_lib.workbook.pages.cross_repo_anomaly import chosen
    from tars_lib.workbook.parameters.past_runs import places

    run = load_run(run_dir)
    # values of another type than text are refused by the same functions
    narrowed(run, repo)  # type: ignore[arg-type]
    chosen(run, cluster)  # type: ignore[arg-type]
    places(run, runs)
