"""Forms of the sources that give changes, incidents and services: git, code hosts, pagers, catalogues."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tars_lib.config.pulling.series import Headers, Seconds
from tars_lib.config.pulling.values import Address, SourceForm
from tars_lib.config.yaml_file import Key
from tars_lib.files.limits import MAX_REPOS


class WebForm(SourceForm):
    """Fields that sources behind an HTTP interface share."""

    headers: Headers = Field(default={})
    timeout: Seconds = 60.0


class GitForm(SourceForm):
    """`kind: git`: tags and merges of a local clone."""

    kind: Literal["git"]
    path: Key
    repo: Key
    tags: Key | None = "*"
    branch: Key | None = None
    merges: bool = True
    commits: bool = False


class GithubForm(WebForm):
    """`kind: github`: deployments, releases, commits and workflow runs."""

    kind: Literal["github"]
    url: Address = "https://api.github.com"
    repos: dict[Key, Key] = Field(min_length=1, max_length=MAX_REPOS)
    read: tuple[Literal["deployments", "releases", "commits", "runs"], ...] = ("deployments", "releases")
    environment: Key | None = None


class GitlabForm(WebForm):
    """`kind: gitlab`: deployments, releases, commits and pipelines."""

    kind: Literal["gitlab"]
    url: Address = "https://gitlab.com"
    repos: dict[Key, Key] = Field(min_length=1, max_length=MAX_REPOS)
    read: tuple[Literal["deployments", "releases", "commits", "pipelines"], ...] = ("deployments", "releases")
    environment: Key | None = None


class AlertmanagerForm(WebForm):
    """`kind: alertmanager`: the alerts that fire now."""

    kind: Literal["alertmanager"]
    url: Address
    repo: Key = "service"


class PagerDutyForm(WebForm):
    """`kind: pagerduty`: incidents."""

    kind: Literal["pagerduty"]
    url: Address = "https://api.pagerduty.com"
    repos: dict[Key, Key] = Field(default={}, max_length=MAX_REPOS)


class StatuspageForm(WebForm):
    """`kind: statuspage`: incidents that were published."""

    kind: Literal["statuspage"]
    url: Address
    repos: dict[Key, Key] = Field(default={}, max_length=MAX_REPOS)


class BackstageForm(WebForm):
    """`kind: backstage`: services, owners, tiers and dependencies of a catalogue."""

    kind: Literal["backstage"]
    url: Address
