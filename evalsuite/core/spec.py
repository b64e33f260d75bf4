"""SweepSpec: what was asked for, as one value that is stored with the answer."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from evalsuite.core.variant import NATIVE, PREFIX

DEFAULT_PRECISIONS = ("float32", "float16", "int8", "binary")


class MtebSpec(BaseModel):
    """How MTEB's names were understood and its tasks scored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    types: tuple[str, ...] = ()
    """Types that tasks of benchmarks had to be of; empty for any."""
    languages: tuple[str, ...] = ()
    """Languages one of which a subset had to have; empty for any."""
    domains: tuple[str, ...] = ()
    """Domains that tasks of benchmarks had to be from; empty for any."""
    data: str | None = None
    """Folder of local data that came before the hub."""
    road: Literal["native", "mteb"] = "native"
    """Whether retrieval and STS were scored by evalsuite or by mteb's evaluator."""


class SweepSpec(BaseModel):
    """One question: which models, tasks, dimensions and precisions, and how to encode."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: tuple[str, ...] = Field(min_length=1)
    """Hub ids, folders or labels of loaded models, as the user gave them."""
    tasks: tuple[str, ...] = Field(min_length=1)
    """Task names, suites and paths, as the user gave them."""
    dims: tuple[int, ...] | None = None
    """Dimensions asked for; None means each model's declared Matryoshka dims, else halvings down to 32."""
    precisions: tuple[str, ...] = Field(default=DEFAULT_PRECISIONS, min_length=1)
    """Quantization levels asked for, with their scoring, such as `int8` or `binary+rescore4`."""
    projections: tuple[str, ...] = Field(default=(PREFIX,), min_length=1)
    """Which dimensions are kept: `prefix`, and the controls `pca` and `random`."""
    calibration: str | None = None
    """Task whose texts the quantizers are fitted on; None means each task's own corpus."""
    dtype: str = "float32"
    """Data type of the model's weights and activations while encoding; `auto` measures."""
    weights: tuple[str, ...] = Field(default=(NATIVE,), min_length=1)
    """Precisions of the models' weights asked for, such as `native` or `q4_0`."""
    quantize_embeddings: str | None = None
    """What was asked for the token table apart: `q4_0`, `q8_0` or `keep`; None if not apart."""
    workers: int | Literal["auto"] = 1
    """Processes asked to encode; 1 is this process alone, `auto` measures."""
    engine: Literal["local", "ray"] = "local"
    """Where the heavy work was asked to be done: by this process and its workers, or on a Ray cluster."""
    device: str | None = None
    """Torch device asked for; None lets sentence-transformers choose."""
    batch_size: int = Field(default=32, ge=1)
    """Texts a forward pass."""
    seed: int = 0
    """Seed of every random choice: bootstrap resamples, random projections."""
    prompts: str = "auto"
    """Whose prompts: `auto` (mteb's registry where it has the model, else the checkpoint's), `own`, or a
    model of the registry."""
    spread: bool = True
    """Whether the spread of the vectors is measured."""
    ann: bool = False
    """Whether approximate search is probed."""
    mteb: MtebSpec = MtebSpec()
    """How MTEB's names were understood."""
