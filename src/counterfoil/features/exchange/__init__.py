"""Exchange between currencies: rates, quotes, swaps."""
