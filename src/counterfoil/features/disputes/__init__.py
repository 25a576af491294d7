"""Disputes of burns, and their rulings."""
