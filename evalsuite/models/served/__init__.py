"""Served models: any OpenAI-compatible endpoint of embeddings behind evalsuite's seam."""
