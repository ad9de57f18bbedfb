"""T.A.R.S., the incident workbook: engines, playbook, reports.

Every public name is imported when it is first used, so that `import tars_lib` costs nothing; `__init__.pyi` lists them.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
