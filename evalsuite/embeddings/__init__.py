"""Encode every text once, keep the vectors on disk."""
