"""Kinds: every kind of task there is."""

from __future__ import annotations

from typing import TypeAlias

from evalsuite.tasks.mteb.task import MtebTask
from evalsuite.tasks.task import NativeTask

Task: TypeAlias = NativeTask | MtebTask
"""Any task; MTEB's may go through mteb's evaluators."""
