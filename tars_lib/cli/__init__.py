"""What the user asked for, and which code is the answer: the `tars` command."""

import gc
import os

# Matrices here are small, and on a busy machine threads that wait for each other cost more than they bring. Whoever sets
# the variable decides.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Importing and reading make many objects and hardly any garbage, so it is looked for less often.
gc.set_threshold(100_000, 50, 50)
