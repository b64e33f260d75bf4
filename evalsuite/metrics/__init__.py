"""Rankings and pairs in, one value per query or pair out."""
