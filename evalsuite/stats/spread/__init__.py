"""How evenly vectors fill the sphere: one pass over blocks of vectors, every dimension at once."""
