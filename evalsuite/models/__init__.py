"""The models to judge: checkpoints, fingerprints, prompts, encoders."""
