"""The cluster engine: encoding, exact search and spread on Ray's workers, with the numbers of one machine."""
