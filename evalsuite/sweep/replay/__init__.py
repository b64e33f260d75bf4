"""Run mteb's own evaluators on stored vectors, replayed at any variant."""
