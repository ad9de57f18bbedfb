"""The ordered steps from an organisation to a run directory and to reports of it, in process.

Each name is imported when it is first used: a command that wants the name of a file in a run starts no engine.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
