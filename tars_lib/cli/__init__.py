"""The `tars` command."""

import os

# Matrices here are small, and on a busy machine threads that wait for each other cost more than they bring (a 36-day
# run: 4.5 s of processor time with threads, 3.2 s with one). Whoever sets the variable decides.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
