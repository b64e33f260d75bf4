"""Many runs as one set of tables: found on disk, read into frames, asked in SQL."""

from evalsuite.history.history import History

__all__ = ["History"]
