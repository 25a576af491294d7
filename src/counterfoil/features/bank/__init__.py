"""Cash by bank: terms, payments of a settlement, payment files out, statements in."""
