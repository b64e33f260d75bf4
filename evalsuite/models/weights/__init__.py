"""Weight precisions: round trips of a model's matrices through the grids of quantized formats."""

from evalsuite.models.weights.apply import apply_weights, joined
from evalsuite.models.weights.labels import trained_for, weight_label
from evalsuite.models.weights.levels import EMBEDDINGS, NATIVE, known_weights

__all__ = ["EMBEDDINGS", "NATIVE", "apply_weights", "joined", "known_weights", "trained_for", "weight_label"]
