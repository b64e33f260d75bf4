from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from evalsuite.core.errors import UsageError
from evalsuite.models.devices import check_device, same_device


def set_cuda_devices(monkeypatch, count: int, *, usable: bool = True) -> None:
    fake = SimpleNamespace(is_available=lambda: usable, device_count=lambda: count)
    monkeypatch.setattr(torch, "cuda", fake)


@pytest.mark.parametrize(
    "device", ["nonsense", "", "CPU", "cpu:1", "cuda:", "cuda:-1", "cuda:01", "cuda:0\n", "gpu"]
)
def test_a_malformed_device_is_refused(device):
    """The message lists the kinds there are."""
    with pytest.raises(UsageError, match=r"unknown device .*give one of cpu, cuda, mps"):
        check_device(device)


def test_the_cpu_is_always_there():
    """With or without its number."""
    check_device("cpu")
    check_device("cpu:0")


def test_a_device_that_is_not_here_is_refused(monkeypatch):
    """The message names what is available."""
    set_cuda_devices(monkeypatch, 2)
    check_device("cuda")
    check_device("cuda:1")
    with pytest.raises(UsageError, match=r"device cuda:2 is not available; .*cpu, cuda:0, cuda:1"):
        check_device("cuda:2")


def test_a_device_that_cannot_be_used_is_not_here(monkeypatch):
    """A driver too old to run a device may still count it."""
    set_cuda_devices(monkeypatch, 1, usable=False)
    with pytest.raises(UsageError, match="device cuda is not available; available here: cpu"):
        check_device("cuda")


def test_a_device_is_the_same_with_or_without_its_number():
    """torch adds the number of the current device."""
    assert same_device("cuda", "cuda:0")
    assert same_device("cpu:0", "cpu")
    assert not same_device("cuda:1", "cuda:0")
    assert not same_device("cuda", "cpu")
