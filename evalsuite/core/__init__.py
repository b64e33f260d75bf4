"""Nouns every room speaks of: variants, measures, cells, records, errors."""
