"""Tab inside a call: in IPython and JupyterLab, `org.repo("` completes to the repos and `org.frame("` to the metrics.

IPython asks an object for the keys of `org["` by itself, and has no such question for the arguments of a call. So a matcher
is added to its completer, by the interface that is meant for it:
https://ipython.readthedocs.io/en/stable/api/generated/IPython.core.completer.html
"""

from __future__ import annotations

import re
import sys
from typing import Any

_CALL = re.compile(
    r"""(?P<object>[^\W\d]\w*(?:\.[^\W\d]\w*)*)\.(?P<method>\w+)\(\s*(?P<quote>['"])(?P<begun>[^'"\n]*)$"""
)
_MARK = "_tars_matcher"


def load_ipython_extension(shell: Any) -> None:
    """Teach a shell the names; `%load_ext tars_lib` calls this, and loading an organisation or a run does, too.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
    """
    try:
        from IPython.core.completer import SimpleCompletion, context_matcher
    except ImportError:
        # before version 8.6 a matcher was told too little; the keys of org[" complete there, too
        return
    matchers = shell.Completer.custom_matchers
    if any(hasattr(one, _MARK) for one in matchers):
        return

    def complete(context: Any) -> dict[str, Any]:
        begun, names = offered(context.text_until_cursor, shell.user_ns)
        found = [SimpleCompletion(text=name, type="param") for name in names]
        return {"completions": found, "suppress": bool(found), "matched_fragment": begun}

    matcher = context_matcher(identifier="tars_lib.names")(complete)
    setattr(matcher, _MARK, True)
    matchers.append(matcher)


def offer_names() -> None:
    """The same in the shell that this process runs, if it runs one; nothing is imported where it does not."""
    library = sys.modules.get("IPython")
    shell = None if library is None else library.get_ipython()
    if shell is not None:
        load_ipython_extension(shell)


def offered(text: str, names: dict[str, Any]) -> tuple[str, list[str]]:
    """What is begun within the quotes of a call at the end of a line, and what it may become.

    Parameters
    ----------
    text : str
        The line up to the cursor.
    names : dict
        The variables of the shell.

    Returns
    -------
    tuple of str, list of str
        Empty where the object in front of the call offers nothing.

    Examples
    --------
    >>> class Org:
    ...     def _call_completions_(self, method):
    ...         return ["web", "api"] if method == "repo" else []
    >>> offered('x = org.repo("w', {"org": Org()})
    ('w', ['web'])
    >>> offered("org.frame('", {"org": Org()}), offered('repo("', {"org": Org()})
    (('', []), ('', []))
    """
    found = _CALL.search(text)
    if found is None:
        return "", []
    first, *path = found["object"].split(".")
    here = names.get(first)
    try:
        for name in path:
            here = getattr(here, name)
        known = here._call_completions_(found["method"])  # type: ignore[union-attr]
    except Exception:  # noqa: BLE001 - a property of somebody's own object may raise anything; Tab then offers nothing
        return found["begun"], []
    return found["begun"], [name for name in known if name.startswith(found["begun"])]
