"""The playbook's pipeline command: `tars run` under the name that the page uses."""

import sys
from pathlib import Path

# last: a file numpy.py that lies in the checkout is data
sys.path.append(str(Path(__file__).resolve().parent.parent))

from tars_lib.cli.run import run

if __name__ == "__main__":
    run(prog_name=Path(__file__).name)
