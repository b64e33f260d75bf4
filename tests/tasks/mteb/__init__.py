"""Promises of MTEB's tasks."""
