"""The playbook's commands, `python -m analytics.run_org_...`: a few lines each over `tars_lib`.

`python -m` looks for every package in the current folder first, which may be an incident's: what lies there is data and does
not run. Where the current folder is the checkout that this package stands in, `tars_lib` alone is taken from it.
"""

import os  # not pathlib: Python has loaded this one before it looked into the current folder
import sys

if sys.argv[:1] == ["-m"] and not sys.flags.safe_path:
    _current = sys.path.pop(0)
    import importlib.util
    import signal

    # an interrupt while modules are imported ends the command without a traceback, as it ends any other program
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if os.path.samefile(_current, f"{os.path.dirname(__file__)}/.."):  # noqa: PTH120, PTH121
        _spec = importlib.util.spec_from_file_location("tars_lib", f"{_current}/tars_lib/__init__.py")
        if _spec is not None and _spec.loader is not None:
            sys.modules["tars_lib"] = importlib.util.module_from_spec(_spec)
            _spec.loader.exec_module(sys.modules["tars_lib"])
        sys.path.append(_current)
