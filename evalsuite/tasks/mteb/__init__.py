"""MTEB's tasks: found by name, loaded from a folder or the hub's cache, converted for the native road."""

from evalsuite.tasks.mteb.options import MtebOptions
from evalsuite.tasks.mteb.refs import MtebRef
from evalsuite.tasks.mteb.task import MtebPart, MtebTask

__all__ = ["MtebOptions", "MtebPart", "MtebRef", "MtebTask"]
