"""Load an organisation from an org-health root."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tars_lib.engines.queries.standing import Organisation
from tars_lib.pipeline.stamping import clock
from tars_lib.sources.root import read_root


def load_org(
    root: str | Path,
    *,
    config: str | Path | None = None,
    sla_policy: str | Path | Sequence[str | Path] | None = None,
    repos: Sequence[str] | None = None,
    assume_tz: str | None = None,
) -> Organisation:
    """Read an org-health root.

    Parameters
    ----------
    root : path
        Folder as the data-format page describes it.
    config : path, optional
        In place of the root's `org.yaml`.
    sla_policy : path or sequence of paths, optional
        Files or folders in place of the root's `sla-policies.yaml` and `sla-policies/` and of the packaged policies.
    repos : sequence of str, optional
        Only these repos; default all.
    assume_tz : str, optional
        IANA zone of times that name none; without it such a time is refused.

    Returns
    -------
    Organisation
        An `OrgData` whose repos can be asked: `org.repo("web")`.

    Raises
    ------
    NoRepositoriesError
        If there is no repo at all.
    ConfigError
        If a configuration file or option is not acceptable.
    InputError
        If data cannot be read, breaks a rule of the format or is beyond a limit, or if a link leads out of the root.
    """
    org = read_root(root, config=config, sla_policy=sla_policy, repos=repos, assume_tz=assume_tz, clock=clock())
    return Organisation.of(org)
