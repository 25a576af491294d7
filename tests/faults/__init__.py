"""Faults of the books: what may break, and that nothing is lost, doubled or told wrongly when it does."""
