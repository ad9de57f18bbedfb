"""The playbook's packaging command: `tars bundle create` under the name that the page uses."""

import importlib.util
import sys
from pathlib import Path

# tars_lib alone is taken from the checkout, if this is one: a file numpy.py that lies there is data
ROOT = Path(__file__).resolve().parent.parent
if (ROOT / "tars_lib").is_dir():
    SPEC = importlib.util.spec_from_file_location("tars_lib", ROOT / "tars_lib" / "__init__.py")
    sys.modules["tars_lib"] = importlib.util.module_from_spec(SPEC)
    SPEC.loader.exec_module(sys.modules["tars_lib"])

from tars_lib.cli.bundle.create import package  # noqa: E402 - once it is known where it stands
from tars_lib.cli.shared.process import start  # noqa: E402 - once it is known where it stands

if __name__ == "__main__":
    start(package, Path(__file__).name)
