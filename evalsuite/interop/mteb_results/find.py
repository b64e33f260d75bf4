"""Finding mteb's result files below a folder and reading them as plain JSON; mteb is not needed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evalsuite.core.errors import RunFileError
from evalsuite.core.run import RECORD_FILE
from evalsuite.interop.mteb_results.layout import MARK, META_FILE, SETTINGS_FILE

_EXPERIMENTS = "experiments"
_STARTS = (Path("remote", "results"), Path("results"), Path())
"""Where models lie in a cache: fetched, or evaluated here; or the folder given is one of them."""

_LEVELS = (".", "*", "*/*")
"""From the folder given to a revision: it is one, or it holds revisions, or models that hold revisions."""

_HISTORIC = "it was written before mteb 1.11; load it with mteb and save it again"


@dataclass(frozen=True)
class ResultFile:
    """What mteb wrote for one task.

    Attributes:
        path: The file.
        content: mteb's `TaskResult` as plain JSON.
        mark: What evalsuite says of it, if evalsuite wrote it.
    """

    path: Path
    content: Mapping[str, Any]
    mark: Mapping[str, Any]
    versions: Mapping[str, str]

    @property
    def task(self) -> str:
        """Name of the task."""
        return str(self.content["task_name"])

    @property
    def entries(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Every split with the metrics of one of its subsets."""
        return [(split, each) for split, entries in self.content["scores"].items() for each in entries]


@dataclass(frozen=True)
class ResultFolder:
    """A revision folder or an experiment below one.

    Attributes:
        path: The folder.
        model: Name of the model, `ORG/NAME`.
        revision: Its revision.
        dim: Width of the vectors by `model_meta.json`; None if it does not say.
        experiment: What is special about the experiment; empty for the plain results.
        max_tokens: Longest input by `model_meta.json`; None if it does not say or there is no limit.
        files: The results.
    """

    path: Path
    model: str
    revision: str
    dim: int | None
    experiment: Mapping[str, Any]
    max_tokens: int | None
    files: tuple[ResultFile, ...] = field(repr=False)


def is_mteb_results(path: str | Path) -> bool:
    """Tell whether a folder is a result cache of mteb's, or a model, revision or experiment folder in one."""
    path = Path(path)
    if not path.is_dir() or (path / RECORD_FILE).exists():
        return False
    return any(_looks_like_a_result(files[0]) for _, files in _json_folders(path))


def result_folders(path: Path) -> list[ResultFolder]:
    """Read every result below a folder.

    Raises:
        RunFileError: If there is none, or files are damaged or of another format; lists them all.
    """
    problems: list[str] = []
    found = [_read_folder(folder, files, problems) for folder, files in _json_folders(path)]
    if problems:
        raise RunFileError("\n".join([f"{path}: unreadable mteb results", *(f"  - {p}" for p in problems)]))
    if not found:
        message = (
            f"{path}: holds no mteb results; give a cache, or a model, revision or experiment folder in one"
        )
        raise RunFileError(message)
    return found


def _json_folders(path: Path) -> Iterator[tuple[Path, list[Path]]]:
    """Yield the revisions and experiments that mteb's layout has below a folder, with their result files."""
    for start in _STARTS:
        for level in _LEVELS:
            for revision in sorted({path / start} if level == "." else (path / start).glob(level)):
                for folder in (revision, *sorted((revision / _EXPERIMENTS).glob("*"))):
                    if files := sorted(file for file in folder.glob("*.json") if file.name != META_FILE):
                        yield folder, files


def _looks_like_a_result(file: Path) -> bool:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and {"task_name", "scores"} <= set(content)


def _read_folder(folder: Path, paths: list[Path], problems: list[str]) -> ResultFolder:
    """Read one folder; what is wrong with its files is added to `problems`."""
    meta = _json(folder / META_FILE, problems) if (folder / META_FILE).exists() else {}
    settings = _settings(folder / SETTINGS_FILE, problems)
    files = []
    for path in paths:
        content = _json(path, problems)
        if content and not {"task_name", "scores"} <= set(content):
            problems.append(f"{path}: has no `task_name` and `scores`; {_HISTORIC}")
        elif content:
            line = settings.get(str(content["task_name"]), {})
            mark = (line.get("encode_kwargs") or {}).get(MARK) or {}
            files.append(ResultFile(path, content, mark, _texts(line.get("version") or {})))
    revision = folder.parent.parent if folder.parent.name == _EXPERIMENTS else folder
    experiment = meta.get("experiment_kwargs") or {}
    if revision != folder and not experiment:
        problems.append(f"{folder / META_FILE}: says nothing of the experiment; copy the whole folder again")
    limit = meta.get("max_tokens")
    return ResultFolder(
        path=folder,
        model=str(meta.get("name") or revision.parent.name.replace("__", "/")),
        revision=str(meta.get("revision") or revision.name),
        dim=_width(meta.get("embed_dim")),
        experiment=experiment,
        max_tokens=int(limit) if isinstance(limit, int | float) and 0 < limit < float("inf") else None,
        files=tuple(files),
    )


def _json(path: Path, problems: list[str]) -> dict[str, Any]:
    """Read a JSON object; what is wrong with it is added to `problems`, and nothing returned."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        problems.append(f"{path}: cannot be read ({error})")
        return {}
    if not isinstance(content, dict):
        problems.append(f"{path}: is not a JSON object")
        return {}
    return content


def _settings(path: Path, problems: list[str]) -> dict[str, dict[str, Any]]:
    """Return the last settings of each task; none if there is no such file, which older results lack."""
    if not path.is_file():
        return {}
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        return {str(line["task"]): line for line in lines}
    except (OSError, ValueError, LookupError, TypeError) as error:
        problems.append(f"{path}: cannot be read ({error})")
        return {}


def _texts(versions: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(version) for name, version in versions.items() if version}


def _width(declared: Any) -> int | None:
    """Return a declared width; the largest if several are."""
    if isinstance(declared, list):
        return max(map(int, declared), default=None)
    return int(declared) if declared else None
