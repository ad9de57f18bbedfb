"""Calls between the repos of an organisation, by name: enough to walk them without loading a graph library."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from tars_lib.model.names import Dependency


class DeclaredCalls:
    """The declared calls, caller to callee.

    Examples
    --------
    >>> calls = DeclaredCalls(["web", "api", "db"], [Dependency("web", "api"), Dependency("api", "db")])
    >>> calls.distances("web")
    {'web': 0, 'api': 1, 'db': 2}
    """

    def __init__(self, repos: Iterable[str], dependencies: Iterable[Dependency]) -> None:
        self._callees: dict[str, list[str]] = {repo: [] for repo in repos}
        for edge in dependencies:
            self._callees.setdefault(edge.caller, []).append(edge.callee)
            self._callees.setdefault(edge.callee, [])

    def __contains__(self, repo: object) -> bool:
        """Return whether a repo is known."""
        return repo in self._callees

    def successors(self, repo: str) -> Iterable[str]:
        """The repos that one calls."""
        return dict.fromkeys(self._callees[repo])

    def distances(self, repo: str) -> dict[str, int]:
        """Every repo that one calls, directly or through others, and how many calls away it is; itself at 0."""
        distances = {repo: 0}
        pending = deque([repo])
        while pending:
            caller = pending.popleft()
            for callee in self.successors(caller):
                if callee not in distances:
                    distances[callee] = distances[caller] + 1
                    pending.append(callee)
        return distances
