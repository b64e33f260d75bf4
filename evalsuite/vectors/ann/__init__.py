"""Approximate search probe: how many distances HNSW and IVF compute for the recall they reach."""

from evalsuite.vectors.ann.probe import probe
from evalsuite.vectors.ann.sample import ProbeSettings, Sample

__all__ = ["ProbeSettings", "Sample", "probe"]
