"""Evalsuite inside other tools: pytest, the trainer, trackers."""
