"""The `tars` command: read what the user asked for, and return the code that is the answer."""

import gc
import os
import sys

# Matrices here are small, and on a busy machine threads that wait for each other cost more than they bring. Whoever sets
# the variable decides.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Importing and reading make many objects and hardly any garbage, so it is looked for less often.
gc.set_threshold(100_000, 50, 50)
# `python -m` looks for every package in the current folder first, which may be an incident's: what lies there is data. The
# checkout is needed where nothing is installed, and comes last.
if sys.argv[:1] == ["-m"] and not sys.flags.safe_path:
    sys.path.append(sys.path.pop(0))
    if not os.path.samefile(sys.path[-1], f"{os.path.dirname(__file__)}/../.."):  # noqa: PTH120, PTH121 - pathlib may be a file there
        sys.path.pop()
