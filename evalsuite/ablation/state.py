"""State: everything a killed training needs to go on, in one safetensors file.

One file is replaced in one step, so tensors, step and history always belong together. What is random is
derived from the seed and the step, and needs no state.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.core.errors import EvalsuiteError, StorageError
from evalsuite.core.files import write_bytes

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer


class TrainingError(EvalsuiteError):
    """Training cannot go on."""


@dataclass(frozen=True)
class State:
    """Where a training stands.

    Attributes:
        step: Steps done.
        identity: Hash of everything that decides the weights; a state of another identity is not used.
        history: One entry now and then: the step and each loss, unweighted.
        tensors: Parameters under `parameter/NAME`, optimiser state under `optimizer/KEY/NAME`.
    """

    step: int
    identity: str
    history: list[dict[str, float]]
    tensors: dict[str, Tensor]


def save_state(path: Path, state: State) -> None:
    """Write a state atomically.

    Raises:
        TrainingError: If a tensor holds NaN or infinity; the last good state is left as it was.
        StorageError: If the file cannot be written.
    """
    import torch
    from safetensors.torch import save

    broken = [name for name, tensor in state.tensors.items() if not torch.isfinite(tensor).all()]
    if broken:
        message = f"step {state.step}: {broken[0]} holds NaN or infinity; lower the learning rate"
        raise TrainingError(message)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.tensors.items()}
    told = {"step": state.step, "identity": state.identity, "history": state.history}
    write_bytes(path, save(tensors, metadata={"state": json.dumps(told)}))


def load_state(path: Path, identity: str) -> State | None:
    """Read a state; None if there is none, or if it belongs to another training.

    Raises:
        StorageError: If the file is damaged.
    """
    from safetensors import SafetensorError, safe_open

    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            told = json.loads((file.metadata() or {})["state"])
            if told["identity"] != identity:
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        message = f"{path}: cannot be read ({error}); delete it to train this arm anew"
        raise StorageError(message) from error
    return State(told["step"], told["identity"], told["history"], tensors)


def pack(parameters: Mapping[str, Tensor], optimizer: Optimizer) -> dict[str, Tensor]:
    """Name every tensor of the parameters and of the optimiser."""
    tensors = {f"parameter/{name}": value for name, value in parameters.items()}
    for name, value in parameters.items():
        for key, held in optimizer.state.get(value, {}).items():
            tensors[f"optimizer/{key}/{name}"] = held
    return tensors


def unpack(tensors: Mapping[str, Tensor], parameters: Mapping[str, Tensor], optimizer: Optimizer) -> None:
    """Put tensors of `pack` back in place."""
    import torch

    with torch.no_grad():
        for name, value in parameters.items():
            value.copy_(tensors[f"parameter/{name}"])
    for full, tensor in tensors.items():
        kind, _, rest = full.partition("/")
        if kind == "optimizer":
            key, _, name = rest.partition("/")
            optimizer.state[parameters[name]][key] = tensor.clone()
