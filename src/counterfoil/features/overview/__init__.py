"""The page at /: who owes whom, a member's history, verify a counterfoil, the last audit."""
