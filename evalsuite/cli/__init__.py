"""Parse, call one api function, print."""
