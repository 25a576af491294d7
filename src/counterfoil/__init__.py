"""Counterfoil: a coalition loyalty ledger."""
