"""The questions: cards, readers and validated texts."""
