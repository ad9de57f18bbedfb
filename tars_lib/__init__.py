"""T.A.R.S., the incident workbook: engines, playbook, reports.

Every public name is imported when it is first used, so that `import tars_lib` costs nothing; `__init__.pyi` lists them.
"""

import os
import sys

if (sys.argv[:1] == ["-m"] and "tars_lib.cli.main" in sys.orig_argv) or "tars" in map(os.path.basename, sys.argv[:1]):
    # an interrupt while modules are imported ends the command without a traceback, as it ends any other program; what
    # `signal` itself imports takes longer than what is left to interrupt
    import _signal  # type: ignore[import-not-found]

    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
