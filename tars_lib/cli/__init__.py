"""The `tars` command."""

import gc
import os

# Matrices here are small, and on a busy machine threads that wait for each other cost more than they bring (a 36-day
# run: 4.5 s of processor time with threads, 3.2 s with one). Whoever sets the variable decides.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Importing and reading make many objects and hardly any garbage: looking for it less often saves a twentieth of the time.
gc.set_threshold(100_000, 50, 50)
