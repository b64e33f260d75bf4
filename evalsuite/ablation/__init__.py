"""The laboratory: train checkpoints that differ in one loss, and measure what the difference does."""
