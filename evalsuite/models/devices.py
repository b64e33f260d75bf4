"""Devices: is a name well formed, and is there such a device here?"""

from __future__ import annotations

import re

from evalsuite.core.errors import UsageError

ACCELERATORS = ("cuda", "mps", "xpu", "npu", "hpu")
"""Kinds of device, beside the CPU, that sentence-transformers runs on; `cuda` includes ROCm."""

_FORM = re.compile(rf"cpu(:0)?|(?P<kind>{'|'.join(ACCELERATORS)})(:(0|[1-9][0-9]*))?")


def check_device(device: str) -> None:
    """Check that a device can be used; torch is imported only to look for one that is not the CPU.

    Args:
        device: Such as `cpu`, `cuda` or `cuda:1`.

    Raises:
        UsageError: If the name is malformed, or this machine or this torch has no such device.
    """
    match = _FORM.fullmatch(device)
    if match is None:
        kinds = ", ".join(("cpu", *ACCELERATORS))
        message = f"unknown device {device!r}; give one of {kinds}, with a number if need be, such as cuda:0"
        raise UsageError(message)
    if match["kind"] is None:
        return
    available = _available_devices()
    # A kind without a number means its current device, which exists if any of the kind does.
    wanted = device if ":" in device else f"{device}:0"
    if wanted not in available:
        message = f"device {device} is not available; available here: {', '.join(available)}"
        raise UsageError(message)


def same_device(asked: str, actual: str) -> bool:
    """Tell whether a device asked for, with or without its number, is the one a model is on."""
    return asked == actual or asked.partition(":")[0] == actual or asked == actual.partition(":")[0]


def _available_devices() -> list[str]:
    """List the devices torch can use here: `cpu`, then accelerators with their numbers."""
    import torch

    found = ["cpu"]
    for kind in ACCELERATORS:
        backend = getattr(torch, kind, None)
        # A driver may count devices that it is too old to run.
        if backend is not None and getattr(backend, "is_available", lambda: True)():
            found += [f"{kind}:{index}" for index in range(backend.device_count())]
    return found
