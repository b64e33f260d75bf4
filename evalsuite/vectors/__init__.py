"""Arrays in, arrays out: prefixes, quantizers and exact search."""
