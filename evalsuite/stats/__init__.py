"""Intervals and tests over per-query values."""
