"""The playbook's commands, `python -m analytics.run_org_...`: a few lines each over `tars_lib`.

`python -m` looks for every package in the current folder first, which may be an incident's: what lies there is data and does
not run. Where the current folder is the checkout that this package stands in, it is looked into last.
"""

import os  # not pathlib: Python has loaded this one before it looked into the current folder
import sys

if sys.argv[:1] == ["-m"] and not sys.flags.safe_path:
    sys.path.append(sys.path.pop(0))
    if not os.path.samefile(sys.path[-1], f"{os.path.dirname(__file__)}/.."):  # noqa: PTH120, PTH121
        sys.path.pop()
