"""The losses of EmbeddingGemma's recipe (arXiv 2509.20354, section 2.2), one equation a file."""
