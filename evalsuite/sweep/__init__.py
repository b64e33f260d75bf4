"""From a spec to cells, from cells to a record."""
