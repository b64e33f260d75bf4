"""Results of other tools, out and in."""
