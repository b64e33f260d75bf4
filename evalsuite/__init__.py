"""evalsuite: evaluate Matryoshka embedding models at every dimension and precision, from one encode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evalsuite.api import accept_baseline, compare, evaluate, load_run, report, write_mteb_results
    from evalsuite.core.errors import EvalsuiteError, UserError
    from evalsuite.core.run import Run
    from evalsuite.core.variant import Variant
    from evalsuite.models.checkpoint import Checkpoint
    from evalsuite.models.opening import open_checkpoint
    from evalsuite.tasks.mteb import MtebOptions

__version__ = "0.1.0"

_HOMES = {
    "Checkpoint": "evalsuite.models.checkpoint",
    "EvalsuiteError": "evalsuite.core.errors",
    "MtebOptions": "evalsuite.tasks.mteb",
    "Run": "evalsuite.core.run",
    "UserError": "evalsuite.core.errors",
    "Variant": "evalsuite.core.variant",
    "accept_baseline": "evalsuite.api",
    "compare": "evalsuite.api",
    "evaluate": "evalsuite.api",
    "load_run": "evalsuite.api",
    "open_checkpoint": "evalsuite.models.opening",
    "report": "evalsuite.api",
    "write_mteb_results": "evalsuite.api",
}

__all__ = [
    "Checkpoint",
    "EvalsuiteError",
    "MtebOptions",
    "Run",
    "UserError",
    "Variant",
    "__version__",
    "accept_baseline",
    "compare",
    "evaluate",
    "load_run",
    "open_checkpoint",
    "report",
    "write_mteb_results",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import evalsuite` stays light."""
    import importlib

    if name not in _HOMES:
        message = f"module 'evalsuite' has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
