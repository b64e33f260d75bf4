"""MTEB's result files: written through mteb's own classes, read as runs without it."""

from evalsuite.interop.mteb_results.find import is_mteb_results
from evalsuite.interop.mteb_results.read import read_mteb_results
from evalsuite.interop.mteb_results.write import left_out, write_mteb_results

__all__ = ["is_mteb_results", "left_out", "read_mteb_results", "write_mteb_results"]
