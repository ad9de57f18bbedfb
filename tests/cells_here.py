"""`tars`, started from nothing, with the cells of its notebooks in its own process.

For tests that ask how Python was started, by a seed of hashes or with warnings as errors: a kernel that starts from nothing
costs more than what it computes, and what is asked holds for the cells as well.
"""

from __future__ import annotations

from in_process import cells_in_process

from tars_lib.cli.main import main

if __name__ == "__main__":
    with cells_in_process():
        main()
