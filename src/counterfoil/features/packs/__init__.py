"""Prepaid packs: points and fee paid in advance, an alert as they run low, a reserve behind them."""
