"""Tests of the room `evalsuite/tasks`."""
